"""What came of asking for an order: the order, or the problem that kept it from being placed."""

from __future__ import annotations

from typing import Any

from gateway.kit.problem import Problem
from gateway.orders.admit import Admitted


def order_of(answer: Any) -> str:
    """The id of the order that was admitted."""
    assert isinstance(answer, Admitted), answer
    return answer.order_id


def code_of(answer: Any) -> str:
    """The code of the problem that it met."""
    assert isinstance(answer, Problem), answer
    return answer.code
