"""What the client raises. ``problems`` has a class for each error code of the API, under ``ApiError``."""

from __future__ import annotations

from typing import ClassVar

from .models import NearestPlan, Problem, ProblemError

_SERVER_ERROR, _NOT_IMPLEMENTED = 500, 501


class GatewayError(Exception):
    """Anything that this client raises because of an answer, or of none."""


class NoAnswerError(GatewayError):
    """The gateway gave no answer of its own: the connection failed, or something in between answered.

    What became of the request is not known. What spends is sent again under ``idempotency_key``, which buys once.
    """

    def __init__(self, message: str, idempotency_key: str | None = None) -> None:
        super().__init__(message)
        self.idempotency_key = idempotency_key


class ApiError(GatewayError):
    """The gateway's answer is a problem. An error code that is newer than this client has no class of its own.

    With a status below 500, and with 501, nothing was bought. With another the outcome is not known: what spends is
    sent again under ``idempotency_key``.

    Attributes:
        code: The error code.
        status: The HTTP status.
        title: The code in words.
        detail: What is wrong with this very request; None where the title says it all.
        errors: The parts of the request that are wrong.
        request_id: The request's id, by which the operator finds it in the log.
        retry_after: Seconds after which another try is worth it; None where the gateway does not say.
        successors: Of ``plan_replaced``: the plans that took its place.
        nearest: Of ``no_plan``: plans that miss little of the need.
        idempotency_key: The request's key; None where it had none.
    """

    CODE: ClassVar[str] = ""

    def __init__(self, problem: Problem, retry_after: float | None = None, idempotency_key: str | None = None) -> None:
        super().__init__(f"{problem.code}: {problem.detail or problem.title}")
        self.code = problem.code
        self.status = problem.status
        self.title = problem.title
        self.detail = problem.detail
        self.errors: list[ProblemError] = problem.errors or []
        self.request_id = problem.request_id
        self.retry_after = retry_after
        self.successors: list[str] = problem.successors or []
        self.nearest: list[NearestPlan] = problem.nearest or []
        self.idempotency_key = idempotency_key

    @property
    def is_outcome_known(self) -> bool:
        """Whether it is certain that nothing was bought."""
        return self.status < _SERVER_ERROR or self.status == _NOT_IMPLEMENTED


class WebhookVerificationError(GatewayError):
    """A webhook is not from the gateway, or is not of the last minutes. Answer it with 401 and do nothing else."""
