"""Pieces of JSON that are the same for many plans, rendered once when a snapshot is built.

A plan's JSON is put together from, in this order: its own piece (id and name), its coverage's, its
chosen offer's data and validity, that offer's networks, its features, then price, stock and times.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import orjson

from schemas.api import PlanData
from schemas.plan import DataAllowance, Features, Network, scope_of

STAMP_LENGTH = len('"updated_at":"2026-11-20T10:00:00Z"}')


def plan_piece(plan_id: str, name: str, updated_at: int) -> bytes:
    """The first and last members of a plan: id and name, and, in the last ``STAMP_LENGTH`` bytes, updated_at.

    ``updated_at`` is in whole seconds since 1970.
    """
    return (
        b'{"id":'
        + orjson.dumps(plan_id)
        + b',"name":'
        + orjson.dumps(name)
        + b',"updated_at":'
        + stamp(updated_at)
        + b"}"
    )


def plan_id_of(piece: bytes) -> str:
    """The id that stands in a plan's piece."""
    start = len(b'{"id":"')
    return piece[start : piece.index(b'"', start)].decode()


def plan_name_of(piece: bytes) -> str:
    """The name that stands in a plan's piece."""
    name: str = orjson.loads(piece)["name"]
    return name


def stamp(seconds: int) -> bytes:
    """RFC 3339 in UTC, to the second, in quotes."""
    return b'"' + datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode() + b'"'


def coverage_piece(codes: tuple[str, ...]) -> bytes:
    """The members scope and countries."""
    return b'"scope":' + orjson.dumps(scope_of(codes)) + b',"countries":' + orjson.dumps(codes) + b","


def data_piece(data: DataAllowance, days: int, starts: str) -> bytes:
    """The members data and validity."""
    return (
        b'"data":'
        + msgspec.json.encode(PlanData.of(data, days))
        + b',"validity":'
        + orjson.dumps({"days": days, "starts": starts})
        + b","
    )


def network_piece(networks: tuple[Network, ...]) -> bytes:
    """The member networks."""
    return b'"networks":' + msgspec.json.encode(networks) + b","


def feature_piece(features: Features) -> bytes:
    """The member features."""
    return b'"features":' + msgspec.json.encode(features) + b","


def networks_of(piece: bytes) -> tuple[Network, ...]:
    """The networks that stand in a piece."""
    return msgspec.json.decode(piece[len(b'"networks":') : -1], type=tuple[Network, ...])


def features_of(piece: bytes) -> Features:
    """The features that stand in a piece."""
    return msgspec.json.decode(piece[len(b'"features":') : -1], type=Features)
