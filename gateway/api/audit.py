"""The audit log for operators' programs."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from gateway.access import audit_rows
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import PageParameters
from gateway.api.reading import read_query, unset_to_none
from gateway.api.spec import Table
from schemas.api_audit import AuditEntry
from schemas.page import Page

routes = Table()
Word = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+\Z")]


class AuditParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Entries of the audit log."""

    actor: Annotated[Word, Meta(description="Only what this user, key or command did.")] | UnsetType = UNSET
    action: (
        Annotated[Word, Meta(description="Only actions that begin so, such as `user.` or `key.revoked`.")] | UnsetType
    ) = UNSET
    object: Annotated[Word, Meta(description="Only changes of this object, such as `user:ana`.")] | UnsetType = UNSET


@routes(
    "GET", "/v1/ops/audit",
    access="ops:read", tag="audit", answer=Page[AuditEntry],
    parameters=AuditParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_audit(request: web.Request) -> web.Response:
    """The audit log, the newest first.

    Log-ins, failed log-ins and log-outs, and every change made in the console, over the API or on the command line,
    with what it was before and after. Secrets are never in it.
    """
    sent = read_query(request, AuditParameters)
    found = await audit_rows.newest(
        pool_of(request),
        sent.page,
        actor=unset_to_none(sent.actor),
        action=unset_to_none(sent.action),
        what=unset_to_none(sent.object),
    )
    return json_answer(found.map(_entry))


def _entry(row: audit_rows.Entry) -> AuditEntry:
    return AuditEntry(f"aud_{row.id}", row.at, row.user_id, row.actor, row.action, row.object, row.detail)
