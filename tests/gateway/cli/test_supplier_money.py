"""``suppliers money``, ``transactions``, ``ledger`` and ``deposit`` as people and scripts use them."""

import json

import msgspec

from gateway.ledger import money
from tests.gateway.cli.test_orders import GOOD, command, shop

__all__ = ["command", "shop"]


async def test_money_at_the_suppliers_is_shown_as_everywhere_else_and_asked_for_anew(shop, command):
    _, out, _ = await command("suppliers", "money")
    assert "not asked for yet" in out
    assert "suppliers deposit pikasim --way stripe" in out
    assert "Ask your contact at BepPay" in out
    code, out, _ = await command("suppliers", "money", "--refresh", "--json")
    assert code == 0
    assert json.loads(out) == msgspec.to_builtins(await money.of(shop.deps, ["beppay", "pikasim", "s2s"]))
    code, _, err = await command("suppliers", "money", "nobody")
    assert (code, "there is no supplier nobody" in err) == (2, True)


async def test_both_books_are_printed_and_a_difference_sets_the_exit_code(shop, command):
    await shop.buy(GOOD)
    await money.refresh(shop.deps)
    _, out, _ = await command("suppliers", "transactions", "--supplier", "pikasim", "--kind", "charge", "--json")
    assert [row["amount"]["amount"] for row in json.loads(out)] == ["-10.36"]
    code, out, _ = await command("suppliers", "ledger", "pikasim")
    assert (code, "same" in out, "apart" in out) == (0, True, True)
    await shop.deps.pool.execute("UPDATE ledger SET amount = 10")
    code, out, _ = await command("suppliers", "ledger", "pikasim", "--differing", "--json")
    assert (code, [row["verdict"] for row in json.loads(out)["data"]]) == (3, ["amount_differs"])


async def test_a_statement_that_was_not_read_yet_is_no_difference(shop, command):
    await shop.buy(GOOD)
    code, out, _ = await command("suppliers", "ledger", "pikasim", "--json")
    rows = json.loads(out)["data"]
    assert (code, [(row["verdict"], row["why"]) for row in rows]) == (0, [("statement_not_read", None)])
    code, out, _ = await command("suppliers", "ledger", "pikasim")
    assert (code, "statement_not_read" in out) == (0, True)


async def test_a_deposit_is_begun_and_what_cannot_be_says_what_to_do(shop, command):
    code, out, _ = await command("suppliers", "deposit", "pikasim", "--way", "stripe", "--amount", "99.50")
    assert code == 0
    assert "99.50 USD to pikasim" in out
    assert "/_sandbox/checkout/cs_test_" in out
    _, out, _ = await command("suppliers", "deposits", "--json")
    (row,) = json.loads(out)
    assert (row["state"], row["begun_by"].startswith("command line")) == ("begun", True)
    code, _, err = await command("suppliers", "deposit", "s2s", "--way", "transfer", "--amount", "99.50")
    assert (code, "contract" in err) == (2, True)
