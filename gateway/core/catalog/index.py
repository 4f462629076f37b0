"""One catalogue as a serving process sees it now: a snapshot, the overlay on it and the price rule."""

from __future__ import annotations

from datetime import datetime

from gateway.core.catalog.query import Choice, Gone, Need, NoMatch, PlanPage, PlanQuery


class Index:
    """Answers about one mode's catalogue. Immutable; every method is quick and does no I/O.

    Bodies are JSON as in the API, ready to send. ``version`` changes with everything that changes an
    answer (snapshot, stock marks, stops, staleness, price rule, rates) and is equal on every process
    that holds the same. ``currency`` None means ``base_currency``; one without a rate raises
    ``QueryError("currency", …)``.
    """

    version: str
    base_currency: str
    offer_count: int
    plan_count: int
    synced_at: datetime | None
    stale: bool

    def plans(self, query: PlanQuery) -> PlanPage:
        """A page of plans, each with its cheapest offer under the filters. Raises ``QueryError``."""
        raise NotImplementedError

    def plan(self, plan_id: str, currency: str | None = None) -> bytes | Gone | None:
        """One plan's JSON; ``Gone`` when it has left the catalogue, None when it never was in it."""
        raise NotImplementedError

    def offers(self, plan_id: str, currency: str | None = None) -> bytes | Gone | None:
        """The JSON list of a plan's offers with their costs (ops only), the selectable ones first."""
        raise NotImplementedError

    def countries(self, currency: str | None = None) -> bytes:
        """The JSON list of countries with plans in stock, by code."""
        raise NotImplementedError

    def regions(self, currency: str | None = None) -> bytes:
        """The JSON list of regions with plans in stock, by code."""
        raise NotImplementedError

    def choose(self, need: Need) -> Choice | NoMatch:
        """The cheapest plan in stock that meets the need, or what was missing. Raises ``QueryError``."""
        raise NotImplementedError
