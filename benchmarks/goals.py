"""How a measurement is shown beside its goal."""

from __future__ import annotations


def compare_with_goal(what: str, value: float, relation: str, goal: float, unit: str = "") -> str:
    """One line: what was measured, the figure, its goal, and ``MISSED`` where it is not reached."""
    good = value <= goal if relation == "<=" else value >= goal
    return f"{what:<58}{value:>9.2f}{unit:<3} {relation} {goal:g}{unit}  {'' if good else 'MISSED'}".rstrip()
