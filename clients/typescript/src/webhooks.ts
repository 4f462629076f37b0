/** Events that the gateway sends to a storefront's webhook endpoint, verified as Standard Webhooks says. */

import { WebhookVerificationError } from "./errors.ts";
import type { GatewayEvent } from "./models.ts";

const PREFIX = "whsec_";
const TOLERANCE_SECONDS = 300;
const HMAC = { name: "HMAC", hash: "SHA-256" };

/** The headers of a request, as `fetch` or as Node.js has them. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface WebhookOptions {
  /** How old a webhook may be, in seconds: 300 by default. */
  toleranceSeconds?: number | undefined;
  /** The time, in seconds since 1970; the clock by default. */
  now?: number | undefined;
}

/**
 * The event in a webhook: `body` exactly as it came, and the request's headers.
 *
 * `secret` is the endpoint's, `whsec_…`. The event's `id` is the same whenever it is sent again. Throws
 * `WebhookVerificationError` for what the gateway did not sign, or not within `toleranceSeconds` of `now`, and a
 * `TypeError` for a secret that is none.
 */
export async function readWebhook(
  body: Uint8Array | ArrayBuffer | string,
  headers: WebhookHeaders,
  secret: string,
  options: WebhookOptions = {},
): Promise<GatewayEvent> {
  const key = await keyOf(secret);
  const id = header(headers, "webhook-id");
  const sentAt = header(headers, "webhook-timestamp");
  const signatures = header(headers, "webhook-signature");
  if (!/^[0-9]+$/.test(sentAt)) {
    throw new WebhookVerificationError("a header of Standard Webhooks is missing or malformed");
  }
  const content = typeof body === "string" ? new TextEncoder().encode(body) : new Uint8Array(body);
  const signed = joined(new TextEncoder().encode(`${id}.${sentAt}.`), content);
  const fits = await Promise.all(signatures.split(" ").map((signature) => isSignature(key, signature, signed)));
  if (!fits.includes(true)) throw new WebhookVerificationError("the signature is wrong");
  const { toleranceSeconds = TOLERANCE_SECONDS, now = Date.now() / 1000 } = options;
  if (Math.abs(now - Number(sentAt)) > toleranceSeconds) {
    throw new WebhookVerificationError("the webhook is too old, or its time is in the future");
  }
  return eventOf(content);
}

async function keyOf(secret: string): Promise<CryptoKey> {
  const bytes = decoded(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret);
  // Whoever sends a webhook could sign it with an empty key.
  if (bytes === undefined || bytes.length === 0) {
    throw new TypeError(`secret is not a webhook secret; it begins with ${PREFIX}`);
  }
  return crypto.subtle.importKey("raw", bytes, HMAC, false, ["verify"]);
}

/** Whether a signature fits, in a time that does not depend on how nearly it does. */
async function isSignature(key: CryptoKey, signature: string, signed: BufferSource): Promise<boolean> {
  const bytes = signature.startsWith("v1,") ? decoded(signature.slice("v1,".length)) : undefined;
  return bytes !== undefined && (await crypto.subtle.verify("HMAC", key, bytes, signed));
}

function header(headers: WebhookHeaders, name: string): string {
  if (headers instanceof Headers) return headers.get(name) ?? missing();
  const found = Object.entries(headers).find(([other]) => other.toLowerCase() === name)?.[1];
  return typeof found === "string" ? found : missing();
}

function missing(): never {
  throw new WebhookVerificationError("a header of Standard Webhooks is missing or malformed");
}

function eventOf(content: Uint8Array): GatewayEvent {
  let event: unknown;
  try {
    event = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch (error) {
    throw new WebhookVerificationError("the body is not JSON", { cause: error });
  }
  const { type, id, timestamp, data } = (event ?? {}) as Record<string, unknown>;
  const texts = [type, id, timestamp];
  if (!texts.every((text) => typeof text === "string") || typeof data !== "object" || data === null) {
    throw new WebhookVerificationError("the body is not an event");
  }
  return event as GatewayEvent;
}

function decoded(base64: string) {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) return undefined;
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function joined(first: Uint8Array, second: Uint8Array) {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
