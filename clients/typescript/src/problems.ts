/** A class for each error code of the API. Made by `make clients` from the API's description. Do not edit. */

import { ApiError } from "./errors.ts";

/**
 * Malformed request.
 *
 * The request is not valid HTTP, its body is not valid JSON, or its JSON is nested deeper than 32 levels. Correct the
 * request: `detail` says what is wrong and where.
 */
export class MalformedError extends ApiError {
  static override readonly code = "malformed";
}

/**
 * Idempotency-Key required.
 *
 * The request spends money and has no `Idempotency-Key`, more than one, or one that is not 1 to 255 printable ASCII
 * characters. Send a key that is new for each purchase, such as a UUID, and send the same one whenever you repeat the
 * request.
 */
export class IdempotencyKeyRequiredError extends ApiError {
  static override readonly code = "idempotency_key_required";
}

/**
 * Invalid API key.
 *
 * The request has no API key, or one that is unknown or was revoked. Of a supplier's webhook: the signature is wrong.
 * Send `Authorization: Bearer gw_live_…` or `X-API-Key` with a key that is in force.
 */
export class UnauthorizedError extends ApiError {
  static override readonly code = "unauthorized";
}

/**
 * Not allowed for this API key.
 *
 * The key lacks the scope that the operation needs. Use a key with the scope that `detail` names, or ask the operator
 * of the gateway for one.
 */
export class ForbiddenError extends ApiError {
  static override readonly code = "forbidden";
}

/**
 * Resource not found.
 *
 * There is no such path, or nothing with this id belongs to your storefront in the mode of the key. Check the id, and
 * that the key is of the mode (live or test) in which the thing was made.
 */
export class NotFoundError extends ApiError {
  static override readonly code = "not_found";
}

/**
 * No matching plan.
 *
 * No plan meets all that was asked for, or there is no plan with this id. Ask for less: `detail` says what was missing,
 * and `nearest` lists plans that miss little of it.
 */
export class NoPlanError extends ApiError {
  static override readonly code = "no_plan";
}

/**
 * Method not allowed.
 *
 * The path exists and has no such method. Use one of the methods in the `Allow` header.
 */
export class MethodNotAllowedError extends ApiError {
  static override readonly code = "method_not_allowed";
}

/**
 * Not acceptable.
 *
 * The server has no answer of a type that `Accept` allows. Accept `application/json`, or leave `Accept` out.
 */
export class NotAcceptableError extends ApiError {
  static override readonly code = "not_acceptable";
}

/**
 * Request timeout.
 *
 * The request's head or body did not arrive whole within 10 seconds. Send it again, with the same Idempotency-Key where
 * there is one.
 */
export class RequestTimeoutError extends ApiError {
  static override readonly code = "request_timeout";
}

/**
 * Conflict with the current state.
 *
 * The thing is in a state in which this cannot be done, such as a disabled endpoint or a decision that was made
 * already. Read the thing again and decide by its present state; `detail` says what is in the way.
 */
export class ConflictError extends ApiError {
  static override readonly code = "conflict";
}

/**
 * Out of stock.
 *
 * Plans meet what was asked for, and none of their offers can be bought now. Choose another plan, or try again later.
 */
export class NoStockError extends ApiError {
  static override readonly code = "no_stock";
}

/**
 * The price has changed.
 *
 * The order would cost more than `max_price`, or than the price that the quote holds. Read the plan or create a quote,
 * show the new price to the customer, and order at that.
 */
export class PriceChangedError extends ApiError {
  static override readonly code = "price_changed";
}

/**
 * The quote has expired.
 *
 * The quote's `expires_at` is past. Create a new quote and order with that.
 */
export class QuoteExpiredError extends ApiError {
  static override readonly code = "quote_expired";
}

/**
 * Reference already used.
 *
 * Another order or checkout of your storefront has this `reference`. Use a new reference. To repeat a request, send it
 * under its first Idempotency-Key instead.
 */
export class DuplicateReferenceError extends ApiError {
  static override readonly code = "duplicate_reference";
}

/**
 * Daily spend limit reached.
 *
 * The order would take your storefront, or every supplier that has the plan, beyond a daily limit that the operator
 * set. Order again tomorrow (UTC), or ask the operator of the gateway to raise the limit.
 */
export class SpendLimitError extends ApiError {
  static override readonly code = "spend_limit";
}

/**
 * Beyond the key's mandate.
 *
 * The order would come to more than the mandate of this API key allows for one order, the UTC day or the UTC month.
 * Order something that costs less, wait for the next day or month, or ask the operator of the gateway for another
 * mandate. `GET /v1/me/mandate` shows it.
 */
export class MandateExceededError extends ApiError {
  static override readonly code = "mandate_exceeded";
}

/**
 * The key has no mandate.
 *
 * An agent asked for more than searching and quoting with an API key that has no mandate. Ask the operator of the
 * gateway for a mandate for this key: `esim-gateway keys set-mandate`.
 */
export class MandateRequiredError extends ApiError {
  static override readonly code = "mandate_required";
}

/**
 * The key's mandate has ended.
 *
 * The mandate of this API key had an end, which is past. Ask the operator of the gateway for another mandate.
 */
export class MandateEndedError extends ApiError {
  static override readonly code = "mandate_ended";
}

/**
 * Cannot be cancelled.
 *
 * The order is final without a delivery, or what was delivered can no longer be given back. Read the order: its
 * `status` says what became of it.
 */
export class NotCancellableError extends ApiError {
  static override readonly code = "not_cancellable";
}

/**
 * The eSIM has top-ups.
 *
 * Data was added to the eSIM, which would be lost with it. Ask the operator of the gateway, who can cancel it all the
 * same.
 */
export class HasTopupsError extends ApiError {
  static override readonly code = "has_topups";
}

/**
 * The eSIM cannot be topped up.
 *
 * The eSIM was cancelled, a cancel of it was asked for, or it is revoked or expired. Sell a new eSIM instead.
 */
export class NotTopupableError extends ApiError {
  static override readonly code = "not_topupable";
}

/**
 * Resource is gone.
 *
 * The thing existed and left: a plan that no supplier sells any more, or a cancelled eSIM. Choose another.
 */
export class GoneError extends ApiError {
  static override readonly code = "gone";
}

/**
 * The plan was replaced.
 *
 * The offers of the plan are another plan now: a supplier changed one, or it is read better than before. Use one of the
 * ids in `successors`.
 */
export class PlanReplacedError extends ApiError {
  static override readonly code = "plan_replaced";
}

/**
 * Request too large.
 *
 * The body is larger than 64 KiB, or the request's head is too long. Send less.
 */
export class TooLargeError extends ApiError {
  static override readonly code = "too_large";
}

/**
 * Unsupported media type.
 *
 * The body is not `application/json`, or it is compressed. Send JSON with `Content-Type: application/json`, and without
 * a `Content-Encoding`.
 */
export class UnsupportedMediaTypeError extends ApiError {
  static override readonly code = "unsupported_media_type";
}

/**
 * Expectation failed.
 *
 * The request has an `Expect` header other than `100-continue`. Leave the header out.
 */
export class ExpectationFailedError extends ApiError {
  static override readonly code = "expectation_failed";
}

/**
 * Invalid request.
 *
 * A parameter or a part of the body has a wrong value, is missing, or is unknown. Correct the parts that `errors`
 * points to.
 */
export class InvalidError extends ApiError {
  static override readonly code = "invalid";
}

/**
 * No exchange rate for this currency.
 *
 * The gateway has no exchange rate for the currency that was asked for. Ask in another currency, or ask the operator of
 * the gateway to set a rate.
 */
export class NoRateError extends ApiError {
  static override readonly code = "no_rate";
}

/**
 * The Idempotency-Key belongs to another request.
 *
 * The Idempotency-Key was used before, with another body. Use a new key for a new purchase. To repeat the first one,
 * send its body unchanged.
 */
export class IdempotencyMismatchError extends ApiError {
  static override readonly code = "idempotency_mismatch";
}

/**
 * Too many requests.
 *
 * The key sent more requests than its limit allows. Wait for the seconds in `Retry-After`, and spread your requests by
 * the `RateLimit-…` headers.
 */
export class RateLimitedError extends ApiError {
  static override readonly code = "rate_limited";
}

/**
 * Too many open orders.
 *
 * Your storefront has as many orders that are not final as it may have at once. Wait until some are final, then send
 * the request again under the same Idempotency-Key.
 */
export class TooManyOpenOrdersError extends ApiError {
  static override readonly code = "too_many_open_orders";
}

/**
 * Internal error.
 *
 * A fault in the gateway. It is in the operator's log under the `request_id`. Send the request once more, with the same
 * Idempotency-Key where there is one; then tell the operator the `request_id`.
 */
export class InternalError extends ApiError {
  static override readonly code = "internal";
}

/**
 * Not supported by the supplier.
 *
 * The supplier of this eSIM has no call for the action that `detail` names. Do without it for this eSIM. Plans say in
 * `features` what their supplier can do.
 */
export class NotSupportedError extends ApiError {
  static override readonly code = "not_supported";
}

/**
 * Selling is stopped.
 *
 * The operator of the gateway stopped selling, everywhere or at the suppliers of this plan. Wait for the seconds in
 * `Retry-After` and try again under the same Idempotency-Key. The catalogue goes on meanwhile.
 */
export class SellingStoppedError extends ApiError {
  static override readonly code = "selling_stopped";
}

/**
 * Temporarily unavailable.
 *
 * Something that the answer needs is down, such as the database. Wait for the seconds in `Retry-After` and try again,
 * under the same Idempotency-Key where there is one.
 */
export class UnavailableError extends ApiError {
  static override readonly code = "unavailable";
}

/** The classes by their codes. */
export const BY_CODE: Readonly<Record<string, typeof ApiError>> = {
  malformed: MalformedError,
  idempotency_key_required: IdempotencyKeyRequiredError,
  unauthorized: UnauthorizedError,
  forbidden: ForbiddenError,
  not_found: NotFoundError,
  no_plan: NoPlanError,
  method_not_allowed: MethodNotAllowedError,
  not_acceptable: NotAcceptableError,
  request_timeout: RequestTimeoutError,
  conflict: ConflictError,
  no_stock: NoStockError,
  price_changed: PriceChangedError,
  quote_expired: QuoteExpiredError,
  duplicate_reference: DuplicateReferenceError,
  spend_limit: SpendLimitError,
  mandate_exceeded: MandateExceededError,
  mandate_required: MandateRequiredError,
  mandate_ended: MandateEndedError,
  not_cancellable: NotCancellableError,
  has_topups: HasTopupsError,
  not_topupable: NotTopupableError,
  gone: GoneError,
  plan_replaced: PlanReplacedError,
  too_large: TooLargeError,
  unsupported_media_type: UnsupportedMediaTypeError,
  expectation_failed: ExpectationFailedError,
  invalid: InvalidError,
  no_rate: NoRateError,
  idempotency_mismatch: IdempotencyMismatchError,
  rate_limited: RateLimitedError,
  too_many_open_orders: TooManyOpenOrdersError,
  internal: InternalError,
  not_supported: NotSupportedError,
  selling_stopped: SellingStoppedError,
  unavailable: UnavailableError,
};
