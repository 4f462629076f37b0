"""How an error is written: RFC 9457, with what a caller may do about it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from schemas.api import Plan, PlanId
from schemas.examples import example


class ProblemError(msgspec.Struct, frozen=True):
    """One thing that is wrong: where, as a JSON pointer into the body or ``/name`` of a parameter, and what."""

    pointer: str
    detail: str


class MissedThing(msgspec.Struct, frozen=True):
    """A thing of a need that a plan does not have: what was asked for, and what the plan has instead."""

    what: Annotated[str, example("data_mb")]
    asked: Annotated[int | bool | str | list[str], example(102400)]
    has: Annotated[int | bool | str | list[str] | None, example(51200)]


class NearestPlan(msgspec.Struct, frozen=True):
    """A plan that comes near a need which none meets, with what it misses."""

    plan: Plan
    misses: list[MissedThing]


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error (RFC 9457). ``code`` is for programs, ``detail`` for people.

    ``successors`` of ``plan_replaced`` are the plans that the offers of the one asked for are now; ``nearest`` of
    ``no_plan`` are plans in stock that miss one thing of the need, or two.
    """

    type: str
    title: str
    status: int
    code: str
    request_id: str
    detail: str | UnsetType = UNSET
    errors: list[ProblemError] | UnsetType = UNSET
    successors: list[PlanId] | UnsetType = UNSET
    nearest: list[NearestPlan] | UnsetType = UNSET
