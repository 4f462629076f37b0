"""The catalogue index: an immutable snapshot of all offers of one mode, asked in microseconds.

``Index`` answers; ``PlanQuery`` and ``Need`` ask. Nothing here opens a socket or a database.
"""

from gateway.catalog.index.index import Index
from gateway.catalog.index.query import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    SORTS,
    Choice,
    Gone,
    InStock,
    Missed,
    Need,
    NoMatch,
    PlanPage,
    PlanQuery,
    QueryError,
)

__all__ = [
    "DEFAULT_LIMIT",
    "MAX_LIMIT",
    "SORTS",
    "Choice",
    "Gone",
    "InStock",
    "Index",
    "Missed",
    "Need",
    "NoMatch",
    "PlanPage",
    "PlanQuery",
    "QueryError",
]
