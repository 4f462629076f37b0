/** When a request is sent again, and after what pause. No I/O. */

/** How often a request is sent again at most, and how many seconds of waiting that may take in all. */
export interface Retries {
  readonly most: number;
  /** A longer `Retry-After` than is left of these is not waited for: the problem is thrown at once. */
  readonly seconds: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly content: Uint8Array;
}

/** What came of a try: an answer, or what `fetch` threw. */
export type Outcome = { readonly answer: Answer } | { readonly error: unknown };

export const RETRIES: Retries = { most: 4, seconds: 60 };
const NOT_PROCESSED: ReadonlySet<number> = new Set([408, 429]); // whatever was asked for, it did not happen
const WORTH_ANOTHER_TRY: ReadonlySet<number> = new Set([...NOT_PROCESSED, 500, 502, 503, 504]);
// What `fetch` of Node.js, Bun and Deno tells where no byte of the request was sent.
const NEVER_SENT: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
  "ConnectionRefused",
]);
const FIRST_PAUSE_SECONDS = 0.5;
const LONGEST_PAUSE_SECONDS = 8;

/** One request, tried until it is answered. `isRepeatable`: sending it twice does the same as sending it once. */
export class Attempts {
  readonly #retries: Retries;
  readonly #isRepeatable: boolean;
  #done = 0;
  #waited = 0;

  constructor(retries: Retries, isRepeatable: boolean) {
    this.#retries = retries;
    this.#isRepeatable = isRepeatable;
  }

  /** Seconds to wait before the request is sent again; undefined when this outcome stands. */
  pauseAfter(outcome: Outcome): number | undefined {
    if (this.#done >= this.#retries.most || !this.#isWorthRetrying(outcome)) return undefined;
    const longest = Math.min(FIRST_PAUSE_SECONDS * 2 ** this.#done, LONGEST_PAUSE_SECONDS);
    const wanted = "answer" in outcome ? retryAfter(outcome.answer.headers) : undefined;
    const pause = wanted ?? (longest * (1 + Math.random())) / 2;
    if (this.#waited + pause > this.#retries.seconds) return undefined;
    this.#done += 1;
    this.#waited += pause;
    return pause;
  }

  #isWorthRetrying(outcome: Outcome): boolean {
    if ("error" in outcome) return this.#isRepeatable || wasNeverSent(outcome.error);
    return (this.#isRepeatable ? WORTH_ANOTHER_TRY : NOT_PROCESSED).has(outcome.answer.status);
  }
}

/** The seconds of `Retry-After`; undefined without one, or with a date in it, which the gateway does not send. */
export function retryAfter(headers: Headers): number | undefined {
  const text = headers.get("Retry-After") ?? "";
  return /^[0-9]+$/.test(text) ? Number(text) : undefined;
}

function wasNeverSent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return NEVER_SENT.has((error as Error & { code?: unknown }).code) || wasNeverSent(error.cause);
}
