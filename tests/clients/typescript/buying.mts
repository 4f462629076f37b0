/** Run by test_buying.py in front of a gateway. */

import assert from "node:assert/strict";
import { chdir, env } from "node:process";
import { test } from "node:test";

import { ApiError, Gateway, problems } from "../../../clients/typescript/src/index.ts";

const { FIRST_ESIM = "", FOLDER = "", PLAN = "" } = env;
const gateway = new Gateway();

test("the README's first eSIM is bought", async () => {
  chdir(FOLDER);
  await import(FIRST_ESIM); // it writes esim.png
});

test("an eSIM is found, quoted, bought and looked after", async () => {
  const found = await gateway.plans.list({ country: ["JP"], min_data_mb: 1024 })[Symbol.asyncIterator]().next();
  assert(found.done !== true);
  const plan = found.value;
  assert(plan.countries.includes("JP"));
  const quote = await gateway.quotes.create({ plan_id: plan.id });
  const order = await gateway.orders.create(
    {
      quote_id: quote.id,
      reference: "S-1",
      customer: { email: "traveller@example.com" },
      metadata: { cart: "8 & 12" },
    },
    { wait: 30 },
  );
  assert.deepEqual([order.status, order.kind, order.reference], ["fulfilled", "esim", "S-1"]);
  assert.deepEqual(order.metadata, { cart: "8 & 12" });
  assert.deepEqual(order.price, quote.price);
  assert(order.esim);
  assert(order.esim.activation_code?.startsWith("LPA:1$"));
  const esim = await gateway.esims.get(order.esim.id);
  assert.deepEqual([esim.iccid, esim.order_id], [order.esim.iccid, order.id]);
  assert(new TextDecoder().decode(await gateway.esims.getQrSvg(order.esim.id)).includes("<svg"));
});

test("data is added to an eSIM", async () => {
  const began = new Date(Date.now() - 60_000);
  const { esim, id } = await gateway.orders.create({ plan_id: PLAN, metadata: { cart: "3" } }, { wait: 30 });
  assert(esim);
  const added = await gateway.esims.topUp(esim.id, { plan_id: PLAN }, { wait: 30 });
  assert.deepEqual([added.status, added.kind], ["fulfilled", "topup"]);
  assert((await gateway.esims.getUsage(esim.id)).data);
  const names: string[] = [];
  for await (const plan of gateway.esims.listTopupPlans(esim.id)) names.push(plan.name);
  assert(names.length > 0);
  const listed: string[] = [];
  for await (const order of gateway.orders.list({ created_from: began, metadata: ["cart:3"] })) listed.push(order.id);
  assert.deepEqual(listed, [id]);
});

test("a list is iterated over all its pages", async () => {
  const orders = gateway.orders.list({ limit: 1 });
  const rows: string[] = [];
  for await (const order of orders) rows.push(order.id);
  const pages: [number, boolean][] = [];
  for await (const page of orders.pages()) pages.push([page.data.length, page.has_more]);
  assert.equal(new Set(rows).size, 4);
  assert.deepEqual(pages, [[1, true], [1, true], [1, true], [1, false]]);
});

test("a list that is never cut is iterated over too", async () => {
  const prices = new Map<string, string | undefined>();
  for await (const country of gateway.countries.list()) prices.set(country.code, country.from_price?.amount);
  assert(Number(prices.get("JP")) > 0);
});

test("what is undefined is not sent, and what is false is", async () => {
  const everywhere: string[] = [];
  for await (const plan of gateway.plans.list({ country: ["JP"], limit: 200, max_price: undefined })) {
    everywhere.push(plan.id);
  }
  const cheap: [number, boolean | null][] = [];
  for await (const plan of gateway.plans.list({ country: ["JP"], max_price: "5", unlimited: false, limit: 200 })) {
    cheap.push([Number(plan.price?.amount), plan.data.unlimited]);
  }
  assert(cheap.length > 0 && cheap.length < everywhere.length);
  assert(cheap.every(([price, isUnlimited]) => price <= 5 && isUnlimited === false));
});

test("a problem is thrown with what the answer says of it", async () => {
  await assert.rejects(gateway.quotes.create({ countries: ["ZZ"] }), (error) => {
    assert(error instanceof problems.InvalidError && error instanceof ApiError);
    assert.deepEqual([error.name, error.code, error.status], ["InvalidError", "invalid", 422]);
    assert.equal(error.retryAfter, undefined);
    assert(error.detail?.includes("ZZ") && error.requestId);
    assert(error.errors[0]?.pointer.startsWith("/countries"));
    return true;
  });
  await assert.rejects(gateway.orders.get("ord_7f3a9c20e1b84d65"), problems.NotFoundError);
});

test("an id cannot be another path", async () => {
  for (const id of ["", ".", ".."]) assert.throws(() => gateway.orders.get(id), TypeError);
  await assert.rejects(gateway.orders.get("../plans"), problems.NotFoundError);
});

test("address and key are needed", () => {
  assert.throws(() => new Gateway({ baseUrl: "gateway.example.com" }), /https/);
  const key = env["ESIM_GATEWAY_KEY"];
  delete env["ESIM_GATEWAY_KEY"];
  assert.throws(() => new Gateway(), /ESIM_GATEWAY_KEY/);
  env["ESIM_GATEWAY_KEY"] = key;
});
