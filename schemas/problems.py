"""How an error is written: RFC 9457, with what a caller may do about it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from schemas.api import Plan, PlanId, UrlPath
from schemas.examples import example


class ProblemError(msgspec.Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        pointer: Where: a JSON pointer into the body, or `/name` of a parameter.
        detail: What is wrong there.
    """

    pointer: str
    detail: str


class MissedThing(msgspec.Struct, frozen=True):
    """A thing of a need that a plan does not have.

    Attributes:
        what: The part of the need.
        asked: What was asked for.
        has: What the plan has instead; null where the supplier does not say.
    """

    what: Annotated[str, example("data_mb")]
    asked: Annotated[int | bool | str | list[str], example(102400)]
    has: Annotated[int | bool | str | list[str] | None, example(51200)]


class NearestPlan(msgspec.Struct, frozen=True):
    """A plan that comes near a need which none meets, with what it misses.

    Attributes:
        plan: The plan.
        misses: What it misses.
    """

    plan: Plan
    misses: list[MissedThing]


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error, as RFC 9457 writes it.

    Attributes:
        type: A page that says what causes this code and what to do.
        title: The code in words.
        status: The HTTP status of the answer.
        code: The error code, for programs. `/errors/{code}` explains each.
        request_id: The request's id, by which the operator finds it in the log.
        detail: What is wrong with this very request, for people.
        errors: The parts of the request that are wrong.
        successors: Of `plan_replaced`: the plans that the offers of the one asked for are now.
        nearest: Of `no_plan`: plans in stock that miss one thing of the need, or two.
    """

    type: UrlPath
    title: str
    status: int
    code: str
    request_id: str
    detail: str | UnsetType = UNSET
    errors: list[ProblemError] | UnsetType = UNSET
    successors: list[PlanId] | UnsetType = UNSET
    nearest: list[NearestPlan] | UnsetType = UNSET
