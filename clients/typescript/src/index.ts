/** A client of the eSIM gateway for those who build a storefront. */

export type * from "./bodies.ts";
export type { KeyOptions, Options, WaitOptions } from "./calls.ts";
export { ApiError, GatewayError, NoAnswerError, WebhookVerificationError } from "./errors.ts";
export { Gateway } from "./gateway.ts";
export type { GatewayOptions } from "./gateway.ts";
export { Listing } from "./lists.ts";
export type * from "./models.ts";
export type { Operations } from "./operations.ts";
export * as problems from "./problems.ts";
export type { Retries } from "./retries.ts";
export { readWebhook } from "./webhooks.ts";
export type { WebhookOptions } from "./webhooks.ts";
