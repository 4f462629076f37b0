"""What a supplier's page names in its examples, so that each of them can be sent to the sandbox as it stands."""

from __future__ import annotations

from dataclasses import dataclass

from providers.simulator.items import Item
from providers.simulator.sales import Esim, Sale


@dataclass(frozen=True)
class PageExamples:
    """Items, orders and eSIMs under the ids of the page.

    They are sold, shown and topped up by their ids and stand in no list, so that the catalogue and the account are
    what they would be without them.
    """

    items: tuple[Item, ...] = ()
    sales: tuple[Sale, ...] = ()
    esims: tuple[Esim, ...] = ()
