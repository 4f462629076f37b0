/** Run by test_retries.py in front of a gateway, and of a proxy that drops the first two answers to orders. */

import assert from "node:assert/strict";
import { env } from "node:process";
import { test } from "node:test";

import { Gateway, NoAnswerError, problems } from "../../../clients/typescript/src/index.ts";

const { LIMITED_KEY = "", NOBODY_URL = "", PLAN = "", PROXY_URL = "" } = env;

test("a 429 is waited for", async () => {
  const statuses: number[] = [];
  const gateway = new Gateway({
    apiKey: LIMITED_KEY,
    fetch: async (address, request) => {
      const response = await fetch(address, request);
      statuses.push(response.status);
      return response;
    },
  });
  while (!statuses.includes(429)) assert.equal((await gateway.me.get()).storefront, "shop");
  assert.deepEqual(statuses.slice(-2), [429, 200]);
});

test("a 429 is thrown where it is not to be waited for", async () => {
  const gateway = new Gateway({ apiKey: LIMITED_KEY, retries: { most: 0 } });
  await assert.rejects(
    async () => {
      for (;;) await gateway.me.get();
    },
    (error) => error instanceof problems.RateLimitedError && (error.retryAfter ?? 0) >= 1,
  );
});

test("an order whose answer was lost is sent again under its key", async () => {
  const gateway = new Gateway({ baseUrl: PROXY_URL });
  const order = await gateway.orders.create({ plan_id: PLAN }, { wait: 30 });
  const other = await gateway.orders.create({ plan_id: PLAN }, { wait: 30 });
  assert.deepEqual([order.status, other.status], ["fulfilled", "fulfilled"]);
  assert.notEqual(order.id, other.id);
});

test("nobody listening is no answer", async () => {
  const gateway = new Gateway({ baseUrl: NOBODY_URL, retries: { most: 1 } });
  await assert.rejects(gateway.orders.create({ plan_id: PLAN }), (error) => {
    return error instanceof NoAnswerError && error.idempotencyKey !== undefined;
  });
  await assert.rejects(gateway.orders.create({ plan_id: PLAN }, { idempotencyKey: "k" }), { idempotencyKey: "k" });
});
