"""The sections of a configuration: how each is read from the database, and changed by the flow that operators use."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec

from gateway.access import storefront_rows
from gateway.alerts import alerts, channels
from gateway.kit.problem import Problem
from gateway.operations import storefronts
from gateway.operations.configuration_file import (
    AlertChannelEntry,
    AlertRuleEntry,
    StopEntry,
    StorefrontEntry,
)
from gateway.operations.configuration_rules import Key, keyed
from gateway.prices import supplier_figures
from gateway.pricing import edit_rules, pricing_rule_rows
from gateway.suppliers import selling_rows, stops, supplier_list_rows
from gateway.suppliers.deps import Deps
from gateway.sync import mapping_rows, mappings
from providers.kit.term_mappings import TermMapping
from schemas.api_alerts import AlertChannelRequest, AlertRuleRequest
from schemas.api_mappings import MappingRequest
from schemas.api_pricing import RuleBody
from schemas.plan import About

E = TypeVar("E")
NewSecrets: TypeAlias = dict[str, str]  # of webhooks, by the name of the channel


class Stored(NamedTuple, Generic[E]):
    """An entry as the database has it, with its id there."""

    id: str
    entry: E


class Section(Generic[E]):
    """One section. Its methods act in the transaction of whoever calls them, which ``deps.pool`` stands for."""

    name: str
    ordered = False
    kept = False  # what the file does not have stays
    unique = True  # no two entries have one name

    def __init__(self, deps: Deps, actor: str) -> None:
        self.deps = deps
        self.actor = actor
        self.secrets: NewSecrets = {}
        self.to_do: list[str] = []

    async def read(self) -> list[Stored[E]]:
        """What the database has, in the order in which it is written."""
        raise NotImplementedError

    def normalized(self, entry: E) -> E:
        """The entry in its one way of writing, as far as that can be said."""
        return entry

    def label(self, entry: E) -> Hashable:
        """What an entry is known by."""
        return getattr(entry, "name", entry)

    def title(self, entry: E) -> str:
        """What people know an entry by."""
        return str(self.label(entry))

    def keys(self, entries: Sequence[E]) -> list[Key]:
        """A key for each entry."""
        return keyed([self.label(entry) for entry in entries])

    async def add(self, entry: E) -> Problem | None:
        """Make it."""
        raise NotImplementedError

    async def change(self, stored: Stored[E], entry: E) -> Problem | None:
        """Put it in the place of what is stored."""
        raise NotImplementedError

    async def remove(self, stored: Stored[E]) -> Problem | None:
        """Take it away."""
        raise NotImplementedError

    async def finish(self, entries: Sequence[E]) -> Problem | None:  # noqa: ARG002 - for sections in an order
        """What is left once every entry is as it shall be."""
        return None


class PausedSuppliers(Section[str]):
    """Suppliers that an operator paused."""

    name = "paused_suppliers"

    async def read(self) -> list[Stored[str]]:
        names = await supplier_list_rows.paused(self.deps.pool)
        return [Stored(name, name) for name in names]

    async def add(self, entry: str) -> Problem | None:
        return await supplier_figures.set_paused(self.deps, entry, self.actor, paused=True)

    async def change(self, stored: Stored[str], entry: str) -> Problem | None:  # pragma: no cover - a name is its key
        raise NotImplementedError

    async def remove(self, stored: Stored[str]) -> Problem | None:
        return await supplier_figures.set_paused(self.deps, stored.id, self.actor, paused=False)


class Storefronts(Section[StorefrontEntry]):
    """Storefronts and their spend limits. None is ever removed: orders belong to them."""

    name = "storefronts"
    kept = True

    async def read(self) -> list[Stored[StorefrontEntry]]:
        rows = await storefront_rows.limits(self.deps.pool)
        return [Stored(row.id, StorefrontEntry(name=row.name, daily_spend_limit=_text(row.limit))) for row in rows]

    def normalized(self, entry: StorefrontEntry) -> StorefrontEntry:
        limit = None if entry.daily_spend_limit is None else Decimal(entry.daily_spend_limit)
        return StorefrontEntry(name=entry.name.strip(), daily_spend_limit=_text(limit or None))

    async def add(self, entry: StorefrontEntry) -> Problem | None:
        made = await storefronts.make_storefront(self.deps.pool, self.actor, entry.name)
        await self._limit(made, entry)
        self.to_do.append(f'make keys for the storefront "{entry.name}": esim-gateway keys create')
        return None

    async def change(self, stored: Stored[StorefrontEntry], entry: StorefrontEntry) -> Problem | None:
        await self._limit(stored.id, entry)
        return None

    async def _limit(self, storefront_id: str, entry: StorefrontEntry) -> None:
        limit = None if entry.daily_spend_limit is None else Decimal(entry.daily_spend_limit)
        await storefronts.set_limit(self.deps.pool, self.actor, storefront_id, limit)


class SellingStops(Section[StopEntry]):
    """Stops that an operator made; those of a restore or a refused account are not of the configuration."""

    name = "selling_stops"

    async def read(self) -> list[Stored[StopEntry]]:
        found = await selling_rows.by_operators(self.deps.pool)
        return [Stored(stop.supplier or "", StopEntry(supplier=stop.supplier, note=stop.note)) for stop in found]

    def label(self, entry: StopEntry) -> Hashable:
        return entry.supplier or "all suppliers"

    async def add(self, entry: StopEntry) -> Problem | None:
        made = await stops.stop(self.deps, entry.supplier, self.actor, entry.note)
        return made if isinstance(made, Problem) else None

    async def change(self, stored: Stored[StopEntry], entry: StopEntry) -> Problem | None:  # noqa: ARG002 - it is put over
        return await self.add(entry)

    async def remove(self, stored: Stored[StopEntry]) -> Problem | None:
        await stops.lift(self.deps.pool, stored.entry.supplier, self.actor)
        return None


class AlertChannels(Section[AlertChannelEntry]):
    """Where alerts go. Secrets are made anew, or set afterwards."""

    name = "alert_channels"

    async def read(self) -> list[Stored[AlertChannelEntry]]:
        found = await channels.all_channels(self.deps.pool)
        fields = AlertChannelEntry.__struct_fields__
        rows = [Stored(row.id, AlertChannelEntry(**{field: getattr(row, field) for field in fields})) for row in found]
        return sorted(rows, key=lambda row: row.entry.name)

    def normalized(self, entry: AlertChannelEntry) -> AlertChannelEntry:
        recipients = list(dict.fromkeys(text.strip() for text in entry.recipients if text.strip()))
        return msgspec.structs.replace(entry, name=entry.name.strip(), recipients=recipients)

    async def add(self, entry: AlertChannelEntry) -> Problem | None:
        made = await channels.create(self.deps, _channel(entry), self.actor, secret_follows=True)
        if isinstance(made, Problem):
            return made
        if made.secret is not None:
            self.secrets[entry.name] = made.secret
        if made.lacks_secret:
            what = "URL" if entry.kind == "slack" else "token"
            self.to_do.append(f'set the {what} of the channel "{entry.name}": esim-gateway alerts secret {made.id}')
        if not entry.enabled:
            return await channels.enable(self.deps.pool, made.id, self.actor, enabled=False)
        return None

    async def change(self, stored: Stored[AlertChannelEntry], entry: AlertChannelEntry) -> Problem | None:
        before = stored.entry
        if (before.kind, before.recipients, before.url) != (entry.kind, entry.recipients, entry.url):
            problem = await channels.change(self.deps, stored.id, _channel(entry), self.actor)
            if problem is not None:
                return problem
        if before.enabled != entry.enabled:
            return await channels.enable(self.deps.pool, stored.id, self.actor, enabled=entry.enabled)
        return None

    async def remove(self, stored: Stored[AlertChannelEntry]) -> Problem | None:
        return await channels.remove(self.deps.pool, stored.id, self.actor)


class AlertRules(Section[AlertRuleEntry]):
    """Rules of alerts; a new gateway has its first ones already."""

    name = "alert_rules"
    unique = False

    async def read(self) -> list[Stored[AlertRuleEntry]]:
        names = {row.id: row.name for row in await channels.all_channels(self.deps.pool)}
        fields = AlertRuleEntry.__struct_fields__
        found = [
            Stored(
                row.id,
                AlertRuleEntry(
                    **{field: getattr(row, field) for field in fields if field != "channels"},
                    channels=[names[channel_id] for channel_id in row.channels if channel_id in names],
                ),
            )
            for row in await alerts.all_rules(self.deps.pool)
        ]
        return sorted(found, key=lambda row: row.entry.name)

    def normalized(self, entry: AlertRuleEntry) -> AlertRuleEntry:
        threshold = None if entry.threshold is None else _text(Decimal(entry.threshold))
        return msgspec.structs.replace(entry, threshold=threshold, channels=list(dict.fromkeys(entry.channels)))

    async def add(self, entry: AlertRuleEntry) -> Problem | None:
        request = await self._request(entry)
        made = request if isinstance(request, Problem) else await alerts.add_rule(self.deps.pool, request, self.actor)
        return made if isinstance(made, Problem) else None

    async def change(self, stored: Stored[AlertRuleEntry], entry: AlertRuleEntry) -> Problem | None:
        request = await self._request(entry)
        if isinstance(request, Problem):
            return request
        made = await alerts.change_rule(self.deps.pool, stored.id, request, self.actor)
        return made if isinstance(made, Problem) else None

    async def remove(self, stored: Stored[AlertRuleEntry]) -> Problem | None:
        return await alerts.remove_rule(self.deps.pool, stored.id, self.actor)

    async def _request(self, entry: AlertRuleEntry) -> AlertRuleRequest | Problem:
        ids = {row.name: row.id for row in await channels.all_channels(self.deps.pool)}
        if unknown := [name for name in entry.channels if name not in ids]:
            return Problem("conflict", f"channels: there is no channel {unknown[0]}")
        fields = {**msgspec.structs.asdict(entry), "channels": [ids[name] for name in entry.channels]}
        try:
            return msgspec.convert(fields, AlertRuleRequest)
        except msgspec.ValidationError as error:
            return Problem("invalid", str(error))


class Mappings(Section[MappingRequest]):
    """What words of suppliers mean."""

    name = "mappings"

    async def read(self) -> list[Stored[MappingRequest]]:
        return [Stored(row.id, _mapping(row.meaning, row.note)) for row in await mapping_rows.every_row(self.deps.pool)]

    def normalized(self, entry: MappingRequest) -> MappingRequest:
        meaning = mappings.meaning_of(self.deps.accounts, entry)
        return entry if isinstance(meaning, Problem) else _mapping(meaning, entry.note)

    def label(self, entry: MappingRequest) -> Hashable:
        key = TermMapping(about=About(entry.about), word=entry.word, means=entry.means).key
        return entry.provider, entry.supplier, entry.about, key

    def title(self, entry: MappingRequest) -> str:
        return f'{entry.about} "{entry.word}" of {entry.supplier or entry.provider or "every provider"}'

    async def add(self, entry: MappingRequest) -> Problem | None:
        meaning = mappings.meaning_of(self.deps.accounts, entry)
        if isinstance(meaning, Problem):
            return meaning
        await mappings.add_mapping(self.deps.pool, meaning, entry.note, self.actor)
        return None

    async def change(self, stored: Stored[MappingRequest], entry: MappingRequest) -> Problem | None:  # noqa: ARG002 - it is put over
        return await self.add(entry)

    async def remove(self, stored: Stored[MappingRequest]) -> Problem | None:
        await mappings.forget(self.deps.pool, stored.id, self.actor)
        return None


class PricingRules(Section[RuleBody]):
    """Pricing rules, in their order."""

    name = "pricing_rules"
    ordered = True
    unique = False

    async def read(self) -> list[Stored[RuleBody]]:
        return [
            Stored(found.rule.id, edit_rules.body_of(found)) for found in await pricing_rule_rows.every(self.deps.pool)
        ]

    def normalized(self, entry: RuleBody) -> RuleBody:
        return edit_rules.normalized(entry, self.deps.settings)

    async def add(self, entry: RuleBody) -> Problem | None:
        made = await edit_rules.create(self.deps.pool, self.deps.settings, self.actor, entry)
        return made if isinstance(made, Problem) else None

    async def change(self, stored: Stored[RuleBody], entry: RuleBody) -> Problem | None:
        made = await edit_rules.replace(self.deps.pool, self.deps.settings, self.actor, stored.id, entry)
        return made if isinstance(made, Problem) else None

    async def remove(self, stored: Stored[RuleBody]) -> Problem | None:
        await edit_rules.remove(self.deps.pool, self.actor, stored.id)
        return None

    async def finish(self, entries: Sequence[RuleBody]) -> Problem | None:
        found = await self.read()
        ids: Mapping[Key, str] = dict(
            zip(self.keys([row.entry for row in found]), (row.id for row in found), strict=True)
        )
        return await edit_rules.put_in_order(self.deps.pool, self.actor, [ids[key] for key in self.keys(entries)])


# In the order in which they are applied: what others name comes before them.
SECTIONS: tuple[type[Section[Any]], ...] = (
    PausedSuppliers,
    Storefronts,
    SellingStops,
    AlertChannels,
    AlertRules,
    Mappings,
    PricingRules,
)


def _channel(entry: AlertChannelEntry) -> AlertChannelRequest:
    return AlertChannelRequest(name=entry.name, kind=entry.kind, recipients=entry.recipients, url=entry.url)


def _mapping(meaning: TermMapping, note: str) -> MappingRequest:
    return msgspec.convert(
        {
            "about": meaning.about.value,
            "word": meaning.word,
            "means": meaning.means,
            "provider": meaning.provider or None,
            "supplier": meaning.supplier or None,
            "note": note,
        },
        MappingRequest,
    )


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount.normalize():f}"
