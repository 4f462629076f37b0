"""Reading a supplier's stored answer again: recording it failed, or the code that reads it was wrong."""

from __future__ import annotations

import msgspec
import structlog

from gateway.kit.pool import DATABASE_DOWN
from gateway.orders import order_state_rows, settling_rows
from gateway.orders.answers import answers_in
from gateway.orders.order_rows import AttemptRow, OrderRow
from gateway.orders.send import READ_AGAIN, call
from gateway.orders.settle import Source, record
from gateway.suppliers.accounts import account_of
from gateway.suppliers.deps import Deps
from providers.kit.recording import Recorded, playing_back
from schemas.errors import UnreadableAnswer
from schemas.order import PurchaseRequest

log = structlog.get_logger(__name__)


class AnswersRead(msgspec.Struct, frozen=True):
    """What reading kept answers gave: how many are ``kept``, how many could be ``read``, how many ``changed`` anything.

    Those of an account that is not configured, or has another mode now, are kept and not read.
    """

    kept: int = 0
    read: int = 0
    changed: int = 0

    def __add__(self, other: AnswersRead) -> AnswersRead:
        return AnswersRead(self.kept + other.kept, self.read + other.read, self.changed + other.changed)


async def read_again(deps: Deps, order: OrderRow, attempt: AttemptRow, *, unread: bool = True) -> AnswersRead:
    """Read the kept answers of an attempt and settle what they say.

    The plugin reads them with the code that reads them from the wire; nothing that spends is sent. ``unread`` leaves
    out answers that were read before. Safe to repeat. Raises what the database raises.
    """
    account = account_of(deps.accounts, attempt.supplier, order.mode)
    answers = await settling_rows.answers_of(deps.pool, attempt.id, unread=unread)
    if account is None:
        return AnswersRead(kept=len(answers))
    done = changed = 0
    for answer_id, sealed in answers:
        try:
            recorded = msgspec.json.decode(deps.seal.open(sealed), type=Recorded)
            with playing_back(recorded):
                observation, read = await call(account, attempt.kind, _request(deps, order, attempt))
            if not read:
                raise observation if isinstance(observation, Exception) else UnreadableAnswer("not read")  # noqa: TRY301 - as any other fault
            settled = await record(deps, attempt.id, observation, Source(sent=True, answer_id=answer_id))
        except DATABASE_DOWN:
            raise
        except Exception as error:
            if isinstance(error, UnreadableAnswer):
                log.warning("supplier_answer_read_failed", attempt=attempt.id, order=order.id, error=str(error))
            else:  # a fault of ours
                log.exception("supplier_answer_read_failed", attempt=attempt.id, order=order.id)
            await settling_rows.reading_failed(deps.pool, answer_id, order, deps.clock() + READ_AGAIN)
        else:
            done += 1
            changed += settled is not None and settled.changed
            log.info("supplier_answer_replayed", attempt=attempt.id, order=order.id)
    return AnswersRead(len(answers), done, changed)


async def read_order_again(deps: Deps, order_id: str) -> AnswersRead:
    """Read every kept answer of an order again, those that were read before too."""
    found = await order_state_rows.load_with_attempts(deps.pool, order_id)
    if found is None:
        return AnswersRead()
    order, tries = found
    return sum([await read_again(deps, order, attempt, unread=False) for attempt in tries], AnswersRead())


def _request(deps: Deps, order: OrderRow, attempt: AttemptRow) -> PurchaseRequest:
    iccid = deps.seal.open_text(attempt.iccid) if attempt.kind != "purchase" and attempt.iccid is not None else None
    request = attempt.request(iccid)
    if request.good is None:
        return request
    return msgspec.structs.replace(
        request, good=msgspec.structs.replace(request.good, fields=answers_in(deps, order.fields))
    )
