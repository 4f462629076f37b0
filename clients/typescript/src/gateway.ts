/** The client: where the gateway is, with which key, and how a call is sent. */

import { addressOf, headersOf, isRepeatable, resultOf, withKey, type Call } from "./calls.ts";
import { Operations } from "./operations.ts";
import { Attempts, RETRIES, type Outcome, type Retries } from "./retries.ts";

const URL_VARIABLE = "ESIM_GATEWAY_URL";
const KEY_VARIABLE = "ESIM_GATEWAY_KEY";
const TIMEOUT_SECONDS = 40; // an order can be waited for up to 30 seconds

export interface GatewayOptions {
  /** Where the gateway is; `ESIM_GATEWAY_URL` by default. */
  baseUrl?: string | undefined;
  /** A storefront's key; `ESIM_GATEWAY_KEY` by default. */
  apiKey?: string | undefined;
  /** How often a request is sent again, and for how many seconds that may be waited: 4 and 60 by default. */
  retries?: Partial<Retries> | undefined;
  /** How long one try may take, in seconds: 40 by default. */
  timeoutSeconds?: number | undefined;
  /** A `fetch` with settings of your own, such as proxies. */
  fetch?: typeof fetch | undefined;
}

/** A gateway and one storefront's key. Throws a `TypeError` where its address or the key is missing. */
export class Gateway extends Operations {
  constructor(options: GatewayOptions = {}) {
    const sender = new Sender(options);
    super((call) => sender.send(call));
  }
}

class Sender {
  readonly #url: string;
  readonly #key: string;
  readonly #retries: Retries;
  readonly #timeoutSeconds: number;
  readonly #fetch: typeof fetch;

  constructor(options: GatewayOptions) {
    this.#url = (options.baseUrl ?? setting("baseUrl", URL_VARIABLE)).replace(/\/+$/, "");
    if (!/^https?:\/\//.test(this.#url)) {
      throw new TypeError(`baseUrl must begin with https:// or http://, not ${JSON.stringify(this.#url)}`);
    }
    this.#key = options.apiKey ?? setting("apiKey", KEY_VARIABLE);
    this.#retries = { ...RETRIES, ...options.retries };
    this.#timeoutSeconds = options.timeoutSeconds ?? TIMEOUT_SECONDS;
    this.#fetch = options.fetch ?? fetch;
  }

  async send<T>(wanted: Call): Promise<T> {
    const call = withKey(wanted);
    const attempts = new Attempts(this.#retries, isRepeatable(call));
    for (;;) {
      const outcome = await this.#attempt(call);
      if ("error" in outcome) call.options.signal?.throwIfAborted();
      const pause = attempts.pauseAfter(outcome);
      if (pause === undefined) return resultOf(call, outcome);
      await sleep(pause, call.options.signal);
    }
  }

  async #attempt(call: Call): Promise<Outcome> {
    const limit = AbortSignal.timeout(this.#timeoutSeconds * 1000);
    const { signal } = call.options;
    const send = this.#fetch; // browsers refuse to call their `fetch` as a method of something else
    try {
      const response = await send(this.#url + addressOf(call), {
        method: call.method,
        headers: { ...headersOf(call), Authorization: `Bearer ${this.#key}` },
        body: call.body === undefined ? null : JSON.stringify(call.body),
        redirect: "manual", // the key goes nowhere else
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      });
      const content = new Uint8Array(await response.arrayBuffer());
      return { answer: { status: response.status, headers: response.headers, content } };
    } catch (error) {
      return { error };
    }
  }
}

function setting(name: string, variable: string): string {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  const value = process?.env?.[variable];
  if (value === undefined || value === "") throw new TypeError(`give ${name}, or set ${variable}`);
  return value;
}

function sleep(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    function stop(): void {
      clearTimeout(timer);
      reject(signal?.reason);
    }
    if (signal?.aborted === true) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
