"""What answers and events become in the TypeScript client: without a gateway, from what the gateway would send."""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import msgspec

import gateway.api
from gateway.api.examples import example_of
from gateway.api.problems import problem_example
from gateway.webhooks.deliver import signed
from schemas.events import EVENTS
from tests.kit.node import run_node

PROGRAM = Path(__file__).with_name("answers.mts")
KINDS = tomllib.loads((Path(gateway.api.__file__).parent / "problem_kinds.toml").read_text("utf-8"))
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
AT = datetime(2026, 11, 20, 10, tzinfo=UTC)


def sent(body, *secrets):
    """The headers of a webhook as the gateway signs it."""
    return signed("evt_1", body, secrets or [SECRET], AT)


async def test_each_problem_has_its_class_and_a_forged_webhook_is_thrown(tmp_path):
    bodies = {name: msgspec.json.encode(example_of(kind, {})) for name, kind in EVENTS.items()}
    body = bodies["order.fulfilled"]
    whole = sent(body)
    forged = [
        (body, sent(body, OTHER)),
        (body.replace(b"fulfilled", b"cancelled"), whole),
        (body, whole | {"webhook-id": "evt_2"}),
        (body, whole | {"webhook-timestamp": str(int(AT.timestamp()) + 1)}),
        (body, whole | {"webhook-timestamp": "now"}),
        (body, whole | {"webhook-signature": ""}),
        (body, whole | {"webhook-signature": "v1"}),
        (body, whole | {"webhook-signature": "v1,\udcff"}),
        (body, {name: value for name, value in whole.items() if name != "webhook-signature"}),
        (body, {}),
        *((text, sent(text)) for text in (b"{}", b"[]", b"null", b'{"type": []}', b"no JSON")),
    ]
    cases = {
        "problems": {code: problem_example(code) for code in KINDS},
        "secret": SECRET,
        "at": AT.timestamp(),
        "events": {name: {"body": text.decode(), "headers": sent(text)} for name, text in bodies.items()},
        "twice": {"body": body.decode(), "headers": sent(body, OTHER, SECRET)},
        "forged": [{"body": text.decode(), "headers": headers} for text, headers in forged],
    }
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(cases), "utf-8")
    await run_node(PROGRAM, CASES=str(path))
