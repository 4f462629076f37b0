"""What the operations and error codes of the API are called in the clients and in the samples of the documentation."""

from __future__ import annotations

from collections.abc import Iterable

VERSION = "/v1/"


def group_of(path: str) -> str:
    """The group of an operation: ``webhook_endpoints`` for ``/v1/webhook-endpoints/{id}/test``."""
    return path.removeprefix(VERSION).split("/")[0].replace("-", "_")


def method_of(operation_id: str, path: str, tags: Iterable[str]) -> str:
    """An operation's name within its group: without the words that name the group, and without ``own``."""
    group_words = {*group_of(path).split("_"), *tags}
    nouns = group_words | {word.removesuffix("s") for word in group_words} | {"own"}
    return "_".join(word for word in operation_id.split("_") if word not in nouns)


def problem_class(code: str) -> str:
    """The class of an error code: ``NoStockError`` for ``no_stock``."""
    return "".join(word.capitalize() for word in code.split("_")) + "Error"
