"""A class for each error code of the API.

Made by `make clients` from the API's description. Do not edit.
"""

from __future__ import annotations

from collections.abc import Mapping

from .errors import ApiError


class MalformedError(ApiError):
    """Malformed request.

    The request is not valid HTTP, its body is not valid JSON, or its JSON is nested deeper than 32 levels. Correct the
    request: `detail` says what is wrong and where.
    """

    CODE = "malformed"


class IdempotencyKeyRequiredError(ApiError):
    """Idempotency-Key required.

    The request spends money and has no `Idempotency-Key`, more than one, or one that is not 1 to 255 printable ASCII
    characters. Send a key that is new for each purchase, such as a UUID, and send the same one whenever you repeat the
    request.
    """

    CODE = "idempotency_key_required"


class UnauthorizedError(ApiError):
    """Invalid API key.

    The request has no API key, or one that is unknown or was revoked. Of a supplier's webhook: the signature is wrong.
    Send `Authorization: Bearer gw_live_…` or `X-API-Key` with a key that is in force.
    """

    CODE = "unauthorized"


class ForbiddenError(ApiError):
    """Not allowed for this API key.

    The key lacks the scope that the operation needs. Use a key with the scope that `detail` names, or ask the operator
    of the gateway for one.
    """

    CODE = "forbidden"


class NotFoundError(ApiError):
    """Resource not found.

    There is no such path, or nothing with this id belongs to your storefront in the mode of the key. Check the id, and
    that the key is of the mode (live or test) in which the thing was made.
    """

    CODE = "not_found"


class NoPlanError(ApiError):
    """No matching plan.

    No plan meets all that was asked for, or there is no plan with this id. Ask for less: `detail` says what was
    missing, and `nearest` lists plans that miss little of it.
    """

    CODE = "no_plan"


class MethodNotAllowedError(ApiError):
    """Method not allowed.

    The path exists and has no such method. Use one of the methods in the `Allow` header.
    """

    CODE = "method_not_allowed"


class NotAcceptableError(ApiError):
    """Not acceptable.

    The server has no answer of a type that `Accept` allows. Accept `application/json`, or leave `Accept` out.
    """

    CODE = "not_acceptable"


class RequestTimeoutError(ApiError):
    """Request timeout.

    The request's head or body did not arrive whole within 10 seconds. Send it again, with the same Idempotency-Key
    where there is one.
    """

    CODE = "request_timeout"


class ConflictError(ApiError):
    """Conflict with the current state.

    The thing is in a state in which this cannot be done, such as a disabled endpoint or a decision that was made
    already. Read the thing again and decide by its present state; `detail` says what is in the way.
    """

    CODE = "conflict"


class NoStockError(ApiError):
    """Out of stock.

    Plans meet what was asked for, and none of their offers can be bought now. Choose another plan, or try again later.
    """

    CODE = "no_stock"


class PriceChangedError(ApiError):
    """The price has changed.

    The order would cost more than `max_price`, or than the price that the quote holds. Read the plan or create a quote,
    show the new price to the customer, and order at that.
    """

    CODE = "price_changed"


class QuoteExpiredError(ApiError):
    """The quote has expired.

    The quote's `expires_at` is past. Create a new quote and order with that.
    """

    CODE = "quote_expired"


class DuplicateReferenceError(ApiError):
    """Reference already used.

    Another order or checkout of your storefront has this `reference`. Use a new reference. To repeat a request, send it
    under its first Idempotency-Key instead.
    """

    CODE = "duplicate_reference"


class SpendLimitError(ApiError):
    """Daily spend limit reached.

    The order would take your storefront, or every supplier that has the plan, beyond a daily limit that the operator
    set. Order again tomorrow (UTC), or ask the operator of the gateway to raise the limit.
    """

    CODE = "spend_limit"


class MandateExceededError(ApiError):
    """Beyond the key's mandate.

    The order would come to more than the mandate of this API key allows for one order, the UTC day or the UTC month.
    Order something that costs less, wait for the next day or month, or ask the operator of the gateway for another
    mandate. `GET /v1/me/mandate` shows it.
    """

    CODE = "mandate_exceeded"


class MandateRequiredError(ApiError):
    """The key has no mandate.

    An agent asked for more than searching and quoting with an API key that has no mandate. Ask the operator of the
    gateway for a mandate for this key: `esim-gateway keys set-mandate`.
    """

    CODE = "mandate_required"


class MandateEndedError(ApiError):
    """The key's mandate has ended.

    The mandate of this API key had an end, which is past. Ask the operator of the gateway for another mandate.
    """

    CODE = "mandate_ended"


class NotCancellableError(ApiError):
    """Cannot be cancelled.

    The order is final without a delivery, or what was delivered can no longer be given back. Read the order: its
    `status` says what became of it.
    """

    CODE = "not_cancellable"


class HasTopupsError(ApiError):
    """The eSIM has top-ups.

    Data was added to the eSIM, which would be lost with it. Ask the operator of the gateway, who can cancel it all the
    same.
    """

    CODE = "has_topups"


class NotTopupableError(ApiError):
    """The eSIM cannot be topped up.

    The eSIM was cancelled, a cancel of it was asked for, or it is revoked or expired. Sell a new eSIM instead.
    """

    CODE = "not_topupable"


class GoneError(ApiError):
    """Resource is gone.

    The thing existed and left: a plan that no supplier sells any more, or a cancelled eSIM. Choose another.
    """

    CODE = "gone"


class PlanReplacedError(ApiError):
    """The plan was replaced.

    The offers of the plan are another plan now: a supplier changed one, or it is read better than before. Use one of
    the ids in `successors`.
    """

    CODE = "plan_replaced"


class TooLargeError(ApiError):
    """Request too large.

    The body is larger than 64 KiB, or the request's head is too long. Send less.
    """

    CODE = "too_large"


class UnsupportedMediaTypeError(ApiError):
    """Unsupported media type.

    The body is not `application/json`, or it is compressed. Send JSON with `Content-Type: application/json`, and
    without a `Content-Encoding`.
    """

    CODE = "unsupported_media_type"


class ExpectationFailedError(ApiError):
    """Expectation failed.

    The request has an `Expect` header other than `100-continue`. Leave the header out.
    """

    CODE = "expectation_failed"


class InvalidError(ApiError):
    """Invalid request.

    A parameter or a part of the body has a wrong value, is missing, or is unknown. Correct the parts that `errors`
    points to.
    """

    CODE = "invalid"


class NoRateError(ApiError):
    """No exchange rate for this currency.

    The gateway has no exchange rate for the currency that was asked for. Ask in another currency, or ask the operator
    of the gateway to set a rate.
    """

    CODE = "no_rate"


class IdempotencyMismatchError(ApiError):
    """The Idempotency-Key belongs to another request.

    The Idempotency-Key was used before, with another body. Use a new key for a new purchase. To repeat the first one,
    send its body unchanged.
    """

    CODE = "idempotency_mismatch"


class RateLimitedError(ApiError):
    """Too many requests.

    The key sent more requests than its limit allows. Wait for the seconds in `Retry-After`, and spread your requests by
    the `RateLimit-…` headers.
    """

    CODE = "rate_limited"


class TooManyOpenOrdersError(ApiError):
    """Too many open orders.

    Your storefront has as many orders that are not final as it may have at once. Wait until some are final, then send
    the request again under the same Idempotency-Key.
    """

    CODE = "too_many_open_orders"


class InternalError(ApiError):
    """Internal error.

    A fault in the gateway. It is in the operator's log under the `request_id`. Send the request once more, with the
    same Idempotency-Key where there is one; then tell the operator the `request_id`.
    """

    CODE = "internal"


class NotSupportedError(ApiError):
    """Not supported by the supplier.

    The supplier of this eSIM has no call for the action that `detail` names. Do without it for this eSIM. Plans say in
    `features` what their supplier can do.
    """

    CODE = "not_supported"


class SellingStoppedError(ApiError):
    """Selling is stopped.

    The operator of the gateway stopped selling, everywhere or at the suppliers of this plan. Wait for the seconds in
    `Retry-After` and try again under the same Idempotency-Key. The catalogue goes on meanwhile.
    """

    CODE = "selling_stopped"


class UnavailableError(ApiError):
    """Temporarily unavailable.

    Something that the answer needs is down, such as the database. Wait for the seconds in `Retry-After` and try again,
    under the same Idempotency-Key where there is one.
    """

    CODE = "unavailable"


BY_CODE: Mapping[str, type[ApiError]] = {
    "malformed": MalformedError,
    "idempotency_key_required": IdempotencyKeyRequiredError,
    "unauthorized": UnauthorizedError,
    "forbidden": ForbiddenError,
    "not_found": NotFoundError,
    "no_plan": NoPlanError,
    "method_not_allowed": MethodNotAllowedError,
    "not_acceptable": NotAcceptableError,
    "request_timeout": RequestTimeoutError,
    "conflict": ConflictError,
    "no_stock": NoStockError,
    "price_changed": PriceChangedError,
    "quote_expired": QuoteExpiredError,
    "duplicate_reference": DuplicateReferenceError,
    "spend_limit": SpendLimitError,
    "mandate_exceeded": MandateExceededError,
    "mandate_required": MandateRequiredError,
    "mandate_ended": MandateEndedError,
    "not_cancellable": NotCancellableError,
    "has_topups": HasTopupsError,
    "not_topupable": NotTopupableError,
    "gone": GoneError,
    "plan_replaced": PlanReplacedError,
    "too_large": TooLargeError,
    "unsupported_media_type": UnsupportedMediaTypeError,
    "expectation_failed": ExpectationFailedError,
    "invalid": InvalidError,
    "no_rate": NoRateError,
    "idempotency_mismatch": IdempotencyMismatchError,
    "rate_limited": RateLimitedError,
    "too_many_open_orders": TooManyOpenOrdersError,
    "internal": InternalError,
    "not_supported": NotSupportedError,
    "selling_stopped": SellingStoppedError,
    "unavailable": UnavailableError,
}
