"""Trying a supplier again at once, as an operator asks for it."""

from __future__ import annotations

import msgspec

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.kit.problem import Problem
from gateway.prices import supplier_states
from gateway.suppliers import balances, checkup
from gateway.suppliers.accounts import follow_keys
from gateway.suppliers.deps import Deps
from gateway.suppliers.state_rules import UNKNOWN, SupplierState


class Tried(msgspec.Struct, frozen=True):
    """What came of it: ``error`` is why it did not answer, None when it did; and its state since."""

    supplier: str
    error: str | None
    state: SupplierState

    @property
    def description(self) -> str:
        """The same for people."""
        answer = "answered" if self.error is None else f"did not answer: {self.error}"
        left = f"; {self.state.description}" if self.state.problems else "; nothing is the matter with it"
        return f"{self.supplier} {answer}{left}."


async def try_again(deps: Deps, name: str, by: Visitor | str) -> Tried | Problem:
    """Read a supplier's balance now, or something else where it tells none, whether or not its breaker is open.

    An answer closes the breaker; a balance that covers what was refused ends the pause of that refusal. Stops, pauses
    and quarantines stay: operators lift them. Nothing is bought. Problem: not_found.
    """
    account = deps.accounts.get(name)
    if account is None:
        return Problem("not_found", f"no supplier {name} is configured")
    await follow_keys(deps.accounts, deps.pool, deps.seal)
    account = deps.accounts[name]
    errors = await balances.poll_now(deps.pool, deps.accounts, [name], deps.clock(), by_operator=True)
    error = errors[name] if name in errors else await checkup.first_answer(account)
    state = (await supplier_states.of_all(deps)).get(name, UNKNOWN)
    async with deps.pool.acquire() as connection, connection.transaction():
        detail = {"answer": error or "ok", "state": state.state}
        await audit_rows.record(connection, by, "supplier.tried_again", f"supplier:{name}", detail)
    return Tried(name, error, state)
