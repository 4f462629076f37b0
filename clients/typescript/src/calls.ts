/** One call of the API: the request that it sends, and the result or the error that its answer becomes. */

import { ApiError, NoAnswerError } from "./errors.ts";
import type { Problem } from "./models.ts";
import { BY_CODE } from "./problems.ts";
import { retryAfter, type Answer, type Outcome } from "./retries.ts";

export interface Options {
  /** Ends the call, and the waiting between its tries; the call then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface KeyOptions extends Options {
  /**
   * Yours, new for each purchase and the same whenever you send it again: 1 to 255 printable ASCII characters. It
   * answers the same purchase for ever. A new one is made without it.
   */
  idempotencyKey?: string | undefined;
}

export interface WaitOptions extends Options {
  /** For how many seconds, at most 30, to wait for the order to be answered. */
  wait?: number | undefined;
}

/** What an operation sends. What is undefined in query and body is left out. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  /** Whether the answer is bytes, not JSON. */
  readonly isBinary?: boolean;
  /** Whether it needs an Idempotency-Key. */
  readonly isSpending?: boolean;
  /** Whether it is a POST that changes nothing. */
  readonly isHarmless?: boolean;
  readonly options: KeyOptions & WaitOptions;
}

/** Makes a call. */
export type Send = <T>(call: Call) => Promise<T>;

/** The call with an Idempotency-Key, where it needs one and has none. */
export function withKey(call: Call): Call {
  if (call.isSpending !== true || call.options.idempotencyKey !== undefined) return call;
  return { ...call, options: { ...call.options, idempotencyKey: crypto.randomUUID() } };
}

/** Whether sending it twice does the same as sending it once. */
export function isRepeatable(call: Call): boolean {
  return call.method === "GET" || call.isHarmless === true || call.options.idempotencyKey !== undefined;
}

/** The path with its query. */
export function addressOf(call: Call): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each === undefined || each === null) continue;
      query.append(name, each instanceof Date ? each.toISOString() : String(each));
    }
  }
  return query.size === 0 ? call.path : `${call.path}?${query}`;
}

/** The headers of a call, but for the API key. */
export function headersOf(call: Call): Record<string, string> {
  const { idempotencyKey, wait } = call.options;
  return {
    ...(idempotencyKey === undefined ? {} : { "Idempotency-Key": idempotencyKey }),
    ...(wait === undefined ? {} : { Prefer: `wait=${wait}` }),
    ...(call.body === undefined ? {} : { "Content-Type": "application/json" }),
  };
}

/** The answer of a call. Throws what a problem or the lack of an answer becomes. */
export function resultOf<T>(call: Call, outcome: Outcome): T {
  const { idempotencyKey } = call.options;
  if ("error" in outcome) {
    throw new NoAnswerError(`no answer: ${String(outcome.error)}`, idempotencyKey, { cause: outcome.error });
  }
  const { answer } = outcome;
  if (answer.status < 200 || answer.status > 299) throw problemOf(answer, idempotencyKey);
  if (call.isBinary === true) return answer.content as T;
  try {
    return parsed(answer) as T;
  } catch (error) {
    throw new NoAnswerError("an answer that cannot be read", idempotencyKey, { cause: error });
  }
}

/** A path with ids in the places of `{}`. Throws a `TypeError` for text that cannot be an id. */
export function pathOf(template: string, ...parts: string[]): string {
  if (!parts.every((part) => typeof part === "string" && part.replaceAll(".", "") !== "")) {
    throw new TypeError("an id is empty or nothing but dots");
  }
  const [first = "", ...others] = template.split("{}");
  return first + others.map((text, place) => encodeURIComponent(parts[place] ?? "") + text).join("");
}

function problemOf(answer: Answer, idempotencyKey: string | undefined): ApiError | NoAnswerError {
  let problem: unknown;
  try {
    problem = parsed(answer);
  } catch {
    problem = undefined;
  }
  if (!isProblem(problem)) {
    const message = `status ${answer.status} that is not from the gateway; check baseUrl and proxies`;
    return new NoAnswerError(message, idempotencyKey);
  }
  const Kind = Object.hasOwn(BY_CODE, problem.code) ? (BY_CODE[problem.code] ?? ApiError) : ApiError;
  return new Kind(problem, retryAfter(answer.headers), idempotencyKey);
}

function parsed(answer: Answer): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(answer.content));
}

function isProblem(value: unknown): value is Problem {
  if (typeof value !== "object" || value === null) return false;
  const { code, status, title } = value as Record<string, unknown>;
  return typeof code === "string" && typeof status === "number" && typeof title === "string";
}
