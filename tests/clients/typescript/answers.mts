/** Run by test_answers.py, with the cases that it wrote. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { env } from "node:process";
import { test } from "node:test";

import {
  ApiError,
  Gateway,
  NoAnswerError,
  problems,
  readWebhook,
  WebhookVerificationError,
} from "../../../clients/typescript/src/index.ts";
import { Attempts, type Outcome } from "../../../clients/typescript/src/retries.ts";

interface Webhook {
  body: string;
  headers: Record<string, string>;
}

const cases: {
  problems: Record<string, { status: number; title: string; successors?: string[] }>;
  secret: string;
  at: number;
  events: Record<string, Webhook>;
  twice: Webhook;
  forged: Webhook[];
} = JSON.parse(readFileSync(env["CASES"] ?? "", "utf8"));

/** A client whose gateway always answers so. */
function answering(status: number, body: string, headers: Record<string, string> = {}): Gateway {
  const answer = async () => new Response(body, { status, headers });
  return new Gateway({ baseUrl: "http://gateway.test", apiKey: "gw_test_x", retries: { most: 0 }, fetch: answer });
}

function read({ body, headers }: Webhook, later = 0) {
  return readWebhook(body, headers, cases.secret, { now: cases.at + later });
}

test("a problem of each code is thrown as the code's class", async () => {
  assert.deepEqual(Object.keys(problems.BY_CODE).sort(), Object.keys(cases.problems).sort());
  assert.equal(new Set(Object.values(problems.BY_CODE)).size, Object.keys(cases.problems).length);
  for (const [code, problem] of Object.entries(cases.problems)) {
    const gateway = answering(problem.status, JSON.stringify(problem), { "Retry-After": "7" });
    await assert.rejects(gateway.orders.create({ plan_id: "p" }, { idempotencyKey: "k" }), (error) => {
      const Kind = problems.BY_CODE[code];
      assert(Kind !== undefined && error instanceof Kind && error instanceof ApiError);
      assert.equal(Kind.code, code);
      assert.deepEqual([error.code, error.status, error.title], [code, problem.status, problem.title]);
      assert.deepEqual([error.retryAfter, error.idempotencyKey], [7, "k"]);
      assert.deepEqual(error.successors, problem.successors ?? []);
      return true;
    });
  }
});

test("a problem says whether its outcome is known", async () => {
  const codes = { no_stock: true, rate_limited: true, not_supported: true, internal: false, unavailable: false };
  for (const [code, isOutcomeKnown] of Object.entries(codes)) {
    const problem = cases.problems[code];
    const gateway = answering(problem?.status ?? 0, JSON.stringify(problem));
    await assert.rejects(gateway.me.get(), { code, isOutcomeKnown });
  }
});

test("a code that is newer than the client is an ApiError", async () => {
  for (const code of ["newer", "constructor"]) {
    const gateway = answering(409, JSON.stringify({ code, status: 409, title: "Newer" }));
    await assert.rejects(gateway.me.get(), (error) => (error as Error).constructor === ApiError);
  }
});

test("what is not from the gateway is no answer", async () => {
  for (const [status, body] of [[502, "<html>"], [404, "[]"], [302, ""], [200, "<html>"]] as const) {
    await assert.rejects(answering(status, body).me.get(), NoAnswerError);
  }
});

test("a call that is ended while it waits throws the signal's reason", async () => {
  const controller = new AbortController();
  const answer = async () => {
    controller.abort(new Error("enough"));
    return new Response("", { status: 503, headers: { "Retry-After": "60" } });
  };
  const gateway = new Gateway({ baseUrl: "http://gateway.test", apiKey: "gw_test_x", fetch: answer });
  await assert.rejects(gateway.me.get({ signal: controller.signal }), /enough/);
});

function answered(status: number, retryAfter?: string): Outcome {
  const headers = new Headers(retryAfter === undefined ? {} : { "Retry-After": retryAfter });
  return { answer: { status, headers, content: new Uint8Array() } };
}

const lost: Outcome = { error: new TypeError("fetch failed", { cause: new Error("other side closed") }) };
const refused: Outcome = {
  error: new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "ECONNREFUSED" }) }),
};

test("what may pass is tried again as Retry-After says, and an answer that stands is not", () => {
  for (const status of [408, 429, 500, 502, 503, 504]) {
    assert.equal(new Attempts({ most: 4, seconds: 60 }, true).pauseAfter(answered(status, "7")), 7);
  }
  for (const status of [200, 201, 202, 304, 400, 404, 409, 422, 501]) {
    assert.equal(new Attempts({ most: 4, seconds: 60 }, true).pauseAfter(answered(status)), undefined);
  }
});

test("what would do something twice is repeated only where it cannot have happened", () => {
  const outcomes: [Outcome, boolean][] = [
    [answered(429), true],
    [answered(500), false],
    [answered(503), false],
    [refused, true],
    [lost, false],
  ];
  for (const [outcome, isRepeated] of outcomes) {
    assert.equal(new Attempts({ most: 4, seconds: 60 }, false).pauseAfter(outcome) !== undefined, isRepeated);
  }
});

test("tries are bounded in number, and waiting in seconds", () => {
  const attempts = new Attempts({ most: 2, seconds: 60 }, true);
  const [first = 0, second = 0, third] = [1, 2, 3].map(() => attempts.pauseAfter(lost));
  assert(first > 0 && second > first);
  assert.equal(third, undefined);
  const waiting = new Attempts({ most: 9, seconds: 10 }, true);
  const pauses = ["6", "5", "4"].map((seconds) => waiting.pauseAfter(answered(503, seconds)));
  assert.deepEqual(pauses, [6, undefined, 4]);
});

test("each event is read into its type", async () => {
  for (const [name, webhook] of Object.entries(cases.events)) {
    const event = await read(webhook);
    assert.equal(event.type, name);
    assert.deepEqual(event, JSON.parse(webhook.body));
    if (event.type === "order.fulfilled") assert(event.data.order_id.startsWith("ord_"));
  }
});

test("body and headers are read in any form, and one of two signatures is enough", async () => {
  const { body, headers } = cases.twice;
  const loud = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]));
  const options = { now: cases.at };
  for (const content of [body, Buffer.from(body), new TextEncoder().encode(body).buffer]) {
    assert.equal((await readWebhook(content, new Headers(headers), cases.secret, options)).type, "order.fulfilled");
    assert.equal((await readWebhook(content, loud, cases.secret, options)).type, "order.fulfilled");
  }
});

test("a forged or unreadable webhook is thrown", async () => {
  for (const webhook of cases.forged) await assert.rejects(read(webhook), WebhookVerificationError);
});

test("a webhook of another time is thrown", async () => {
  for (const later of [-300, 300]) {
    assert((await read(cases.twice, later)).id);
    await assert.rejects(read(cases.twice, later * 1.01), /old/);
  }
});

test("a secret that is none is refused", async () => {
  const { body, headers } = cases.twice;
  for (const secret of ["", "whsec_", "no secret"]) await assert.rejects(readWebhook(body, headers, secret), TypeError);
});
