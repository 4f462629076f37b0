/** What the client throws. `problems` has a class for each error code of the API, under `ApiError`. */

import type { NearestPlan, Problem, ProblemError } from "./models.ts";

/** Anything that this client throws because of an answer, or of none. */
export class GatewayError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/**
 * The gateway gave no answer of its own: the connection failed, or something in between answered.
 *
 * What became of the request is not known. What spends is sent again under `idempotencyKey`, which buys once.
 */
export class NoAnswerError extends GatewayError {
  readonly idempotencyKey: string | undefined;

  constructor(message: string, idempotencyKey?: string, options?: ErrorOptions) {
    super(message, options);
    this.idempotencyKey = idempotencyKey;
  }
}

/**
 * The gateway's answer is a problem. An error code that is newer than this client has no class of its own.
 *
 * With a status below 500, and with 501, nothing was bought. With another the outcome is not known: what spends is
 * sent again under `idempotencyKey`.
 */
export class ApiError extends GatewayError {
  /** The error code of the class. */
  static readonly code: string = "";

  /** The error code. */
  readonly code: string;
  /** The HTTP status. */
  readonly status: number;
  /** The code in words. */
  readonly title: string;
  /** What is wrong with this very request; undefined where the title says it all. */
  readonly detail: string | undefined;
  /** The parts of the request that are wrong. */
  readonly errors: readonly ProblemError[];
  /** The request's id, by which the operator finds it in the log. */
  readonly requestId: string | undefined;
  /** Seconds after which another try is worth it; undefined where the gateway does not say. */
  readonly retryAfter: number | undefined;
  /** Of `plan_replaced`: the plans that took its place. */
  readonly successors: readonly string[];
  /** Of `no_plan`: plans that miss little of the need. */
  readonly nearest: readonly NearestPlan[];
  /** The request's key; undefined where it had none. */
  readonly idempotencyKey: string | undefined;

  constructor(problem: Problem, retryAfter?: number, idempotencyKey?: string) {
    super(`${problem.code}: ${problem.detail ?? problem.title}`);
    this.code = problem.code;
    this.status = problem.status;
    this.title = problem.title;
    this.detail = problem.detail ?? undefined;
    this.errors = problem.errors ?? [];
    this.requestId = problem.request_id ?? undefined;
    this.retryAfter = retryAfter;
    this.successors = problem.successors ?? [];
    this.nearest = problem.nearest ?? [];
    this.idempotencyKey = idempotencyKey;
  }

  /** Whether it is certain that nothing was bought. */
  get isOutcomeKnown(): boolean {
    return this.status < 500 || this.status === 501;
  }
}

/** A webhook is not from the gateway, or is not of the last minutes. Answer it with 401 and do nothing else. */
export class WebhookVerificationError extends GatewayError {}
