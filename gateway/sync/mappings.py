"""Telling what a word means: what that would do, seen first; then kept, audited, and used by the next sync."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

import msgspec

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.kit.pages import PageRequest, price_of
from gateway.kit.pool import Pool
from gateway.kit.problem import Problem
from gateway.kit.settings import Settings
from gateway.pricing.rates import rates_now
from gateway.suppliers.accounts import Account
from gateway.sync import mapping_rows, unmapped_rows
from gateway.sync.mapping_rows import MappingRow
from gateway.sync.unmapped_rows import Scope
from providers.kit import places
from providers.kit.plan_names import plan_name
from providers.kit.term_mappings import (
    EVERY_ACCOUNT,
    EVERY_PROVIDER,
    TermMapping,
    TermMappingError,
    as_toml,
    checked,
    shipped,
)
from schemas.api_mappings import MappingEffect, MappingRequest, RemappedItem, StoredMapping, UnmappedGroup
from schemas.money import Money
from schemas.page import Page
from schemas.plan import About, Offer

MOST_TRIED = 2_000
MOST_EXAMPLES = 10
_AT_ONCE = 50  # items mapped before others get a turn
_TOLD = frozenset({About.PLACE, About.UNIT, About.ATTRIBUTE})


async def groups(pool: Pool, settings: Settings, scope: Scope, page_request: PageRequest) -> Page[UnmappedGroup]:
    """What was not understood, that first on which most money hangs."""
    (offset,) = page_request.after(int)
    rates = await rates_now(pool, settings)
    found = await unmapped_rows.groups(pool, scope, rates.worth, page_request.fetch, offset)
    page = page_request.page(found, lambda _: (offset + page_request.limit,))
    return page.of(
        UnmappedGroup(
            supplier=group.supplier,
            provider=group.provider,
            reason=group.reason,
            about=group.about,
            word=group.word,
            offers=group.offers,
            priced=group.priced,
            cost_total=price_of(None if group.total is None else Money(group.total, rates.base)),
            cost_median=price_of(None if group.median is None else Money(group.median, rates.base)),
            examples=group.examples,
            detail=group.detail,
            first_seen_at=group.first_seen_at,
            can_be_told=can_be_told(group.about, group.word),
        )
        for group in page.data
    )


def can_be_told(about: About, word: str) -> bool:
    """Whether an operator can tell what a word means; the rest needs a rule in the supplier's mapping."""
    return bool(word) and about in _TOLD


async def words_to_map(pool: Pool, mode: str) -> int:
    """How many words wait for an operator who tells what they mean."""
    return await unmapped_rows.count_words(pool, mode, _TOLD)


def meaning_of(accounts: Mapping[str, Account], request: MappingRequest) -> TermMapping | Problem:
    """What is asked to be told, in its one way of writing; or what of it cannot be (conflict, with its field)."""
    provider, supplier = request.provider or EVERY_PROVIDER, request.supplier or EVERY_ACCOUNT
    if supplier:
        account = accounts.get(supplier)
        if account is None:
            return Problem("conflict", f"no supplier {supplier} is configured", (("/supplier", "not known"),))
        if provider not in (EVERY_PROVIDER, account.manifest.name):
            detail = f"{supplier} is an account at {account.manifest.name}"
            return Problem("conflict", detail, (("/provider", detail),))
        provider = account.manifest.name
    if provider and provider not in {account.manifest.name for account in accounts.values()}:
        return Problem("conflict", f"no account at a provider {provider} is configured", (("/provider", "not known"),))
    try:
        return checked(
            TermMapping(
                about=About(request.about),
                word=request.word,
                means=request.means,
                provider=provider,
                supplier=supplier,
            )
        )
    except TermMappingError as error:
        return Problem("conflict", str(error), ((f"/{error.field}", str(error)),))


def codes_in(text: str) -> str:
    """ISO codes for what an operator wrote: codes, names of countries, a region of ours; the text itself for others."""
    found = places.countries(text) or places.countries(text.upper())
    if found is None:
        wanted = text.strip().casefold()
        found = next(
            (region.countries for region in places.regions() if wanted in (region.code, region.name.casefold())), None
        )
    return text if found is None else " ".join(found)


async def preview(pool: Pool, accounts: Mapping[str, Account], meaning: TermMapping) -> MappingEffect:
    """How many set-aside items would be mapped with this meaning that are not without it, and to what.

    The suppliers' own mappings are run over the items as they are kept; nothing is changed. Items are those that
    were unmapped for this word, at most ``MOST_TRIED`` of them; ``cut`` when there are more.
    """
    names = [
        name
        for name, candidate in sorted(accounts.items())
        if meaning.provider in (EVERY_PROVIDER, candidate.manifest.name) and meaning.supplier in (EVERY_ACCOUNT, name)
    ]
    items = await unmapped_rows.about_word(pool, names, meaning.about, meaning.word, MOST_TRIED + 1)
    overrides = {
        name: (
            await mapping_rows.load_overrides(pool, accounts[name].manifest.name, name),
            await mapping_rows.load_overrides(pool, accounts[name].manifest.name, name, meaning),
        )
        for name in names
    }
    mapped: Counter[str] = Counter()
    still: Counter[str] = Counter()
    untold = 0
    examples: list[RemappedItem] = []
    plans: set[str] = set()
    for number, item in enumerate(items[:MOST_TRIED]):
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
        account = accounts[item.supplier]
        before, after = overrides[item.supplier]
        raw = item.raw.encode()
        found = account.provider.remap(raw, after)
        if found is None:
            untold += 1
        elif not isinstance(found, Offer) or found.supplier_plan_id != item.supplier_plan_id:
            still[item.reason if isinstance(found, Offer) else found.reason] += 1
        elif not isinstance(account.provider.remap(raw, before), Offer):
            mapped[item.supplier] += 1
            plans.add(found.plan_id)
            if len(examples) < MOST_EXAMPLES:
                examples.append(_example(item.supplier, found))
    return MappingEffect(
        provider=meaning.provider or None,
        supplier=meaning.supplier or None,
        about=meaning.about,
        word=meaning.word,
        means=meaning.means,
        tried=min(len(items), MOST_TRIED),
        cut=len(items) > MOST_TRIED,
        would_map=sum(mapped.values()),
        plans=len(plans),
        by_supplier=dict(mapped),
        still_set_aside={str(reason): count for reason, count in sorted(still.items())},
        not_known=untold,
        examples=examples,
    )


async def add_mapping(pool: Pool, meaning: TermMapping, note: str, actor: Visitor | str) -> StoredMapping:
    """Keep a meaning; the next sync of each supplier that it concerns maps all of its items by it."""
    name = actor.name if isinstance(actor, Visitor) else actor
    async with pool.acquire() as connection, connection.transaction():
        mapping_id = await mapping_rows.put(connection, meaning, note, name)
        await audit_rows.record(
            connection, actor, "mapping.told", f"mapping:{mapping_id}", msgspec.to_builtins(meaning)
        )
        row = await mapping_rows.find(connection, mapping_id)
    if row is None:
        raise LookupError(mapping_id)
    return present(row)


async def forget(pool: Pool, mapping_id: str, actor: Visitor | str) -> StoredMapping | None:
    """Take a meaning back, and give what it was; None when there is none of that id.

    What it mapped is unmapped at the next sync.
    """
    async with pool.acquire() as connection, connection.transaction():
        row = await mapping_rows.find(connection, mapping_id)
        if row is None or not await mapping_rows.remove(connection, mapping_id):
            return None
        await audit_rows.record(
            connection, actor, "mapping.forgotten", f"mapping:{mapping_id}", msgspec.to_builtins(row.meaning)
        )
    return present(row)


async def listed(
    pool: Pool,
    page_request: PageRequest,
    provider: str | None = None,
    supplier: str | None = None,
    about: About | None = None,
) -> Page[StoredMapping]:
    """The mappings of operators, the newest first."""
    return (await mapping_rows.newest_first(pool, page_request, provider, supplier, about)).map(present)


async def toml(pool: Pool) -> str:
    """All meanings in force as ``config/mappings.toml`` would hold them: those of the file, and those told here."""
    known = {
        (each.provider, each.supplier, each.about, each.key): each
        for each in (*shipped(), *await mapping_rows.every(pool))
    }
    return as_toml(known.values())


def present(row: MappingRow) -> StoredMapping:
    """A meaning as the API writes it."""
    return StoredMapping(
        id=row.id,
        provider=row.provider or None,
        supplier=row.supplier or None,
        about=row.about,
        word=row.word,
        means=row.means,
        note=row.note,
        created_by=row.created_by,
        created_at=row.created_at,
        applied=row.applied,
    )


def _example(supplier: str, offer: Offer) -> RemappedItem:
    return RemappedItem(
        supplier=supplier,
        supplier_plan_id=offer.supplier_plan_id,
        name=offer.name,
        plan_id=offer.plan_id,
        plan_name=plan_name(offer.coverage, offer.data, offer.validity.days, offer.features.included),
        countries=list(offer.coverage),
        cost=price_of(offer.cost),
    )
