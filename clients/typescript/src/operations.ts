/** The operations of the API. Made by `make clients` from the API's description. Do not edit. */

import type * as bodies from "./bodies.ts";
import { pathOf, type KeyOptions, type Options, type Send, type WaitOptions } from "./calls.ts";
import { Listing } from "./lists.ts";
import type * as models from "./models.ts";

/** The operations of `/v1/checkouts`. */
export class Checkouts {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * Have a customer pay for a plan.
   *
   * For a plan at its price of now, or for a quote at the price that is held. The price stays held until `expires_at`,
   * and `payment_url` can be paid once until then. The payment places the order, once: `order_id` names it. Sent again
   * under the same Idempotency-Key it answers the same checkout. A problem uses the key not up. Needs the scope
   * `storefront`.
   */
  create(body: bodies.CheckoutForPlan | bodies.CheckoutForQuote, options: KeyOptions = {}): Promise<models.Checkout> {
    return this.#send({ method: "POST", path: "/v1/checkouts", body, isSpending: true, options });
  }

  /**
   * Checkouts, the newest first.
   *
   * Those of your storefront, in the mode of the key. Needs the scope `storefront`.
   */
  list(query: bodies.ListCheckoutsQuery = {}, options: Options = {}): Listing<models.Checkout, models.CheckoutPage> {
    return new Listing(this.#send, { method: "GET", path: "/v1/checkouts", query: { ...query }, options });
  }

  /**
   * One checkout.
   *
   * `paid` has the `order_id` of its order. `needs_review`: money moved, or may have, in a way that needs an operator;
   * `review` has the reason. Needs the scope `storefront`.
   *
   * @param id The checkout's `id`.
   */
  get(id: string, options: Options = {}): Promise<models.Checkout> {
    return this.#send({ method: "GET", path: pathOf("/v1/checkouts/{}", id), options });
  }
}

/** The operations of `/v1/countries`. */
export class Countries {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * Countries that plans in stock cover.
   *
   * With how many, and the lowest price. Needs the scope `catalog`.
   */
  list(query: bodies.ListCountriesQuery = {}, options: Options = {}): Listing<models.CountryEntry, models.CountryList> {
    return new Listing(this.#send, { method: "GET", path: "/v1/countries", query: { ...query }, options });
  }
}

/** The operations of `/v1/esims`. */
export class Esims {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * Your eSIMs, the newest first.
   *
   * Each as its supplier last reported it; a GET of one of them asks the supplier. Needs the scope `storefront`.
   */
  list(query: bodies.ListEsimsQuery = {}, options: Options = {}): Listing<models.Esim, models.EsimPage> {
    return new Listing(this.#send, { method: "GET", path: "/v1/esims", query: { ...query }, options });
  }

  /**
   * One eSIM: the state of its profile and its service, and its data.
   *
   * The supplier's answer is cached for a minute; `observed_at` is its time, and `Cache-Control: no-cache` asks the
   * supplier again. Usage comes late with some suppliers, by hours. Where the supplier has not reported a state yet, or
   * cannot, the states are `unknown`, the data and `observed_at` null. Needs the scope `storefront`.
   *
   * @param id The eSIM's `id` or its ICCID (then your newest one).
   */
  get(id: string, options: Options = {}): Promise<models.Esim> {
    return this.#send({ method: "GET", path: pathOf("/v1/esims/{}", id), options });
  }

  /**
   * How much of an eSIM's data is used.
   *
   * 501: its supplier reports no usage. Needs the scope `storefront`.
   *
   * @param id The eSIM's `id` or its ICCID (then your newest one).
   */
  getUsage(id: string, options: Options = {}): Promise<models.EsimUsage> {
    return this.#send({ method: "GET", path: pathOf("/v1/esims/{}/usage", id), options });
  }

  /**
   * The activation code as a QR code, SVG.
   *
   * Whoever scans it can install the eSIM: show it to its owner alone. 410: the eSIM was cancelled. Needs the scope
   * `storefront`.
   *
   * @param id The eSIM's `id` or its ICCID (then your newest one).
   */
  getQrSvg(id: string, options: Options = {}): Promise<Uint8Array> {
    return this.#send({ method: "GET", path: pathOf("/v1/esims/{}/qr.svg", id), isBinary: true, options });
  }

  /**
   * The activation code as a QR code, PNG.
   *
   * Whoever scans it can install the eSIM: show it to its owner alone. 410: the eSIM was cancelled. Needs the scope
   * `storefront`.
   *
   * @param id The eSIM's `id` or its ICCID (then your newest one).
   */
  getQrPng(id: string, options: Options = {}): Promise<Uint8Array> {
    return this.#send({ method: "GET", path: pathOf("/v1/esims/{}/qr.png", id), isBinary: true, options });
  }

  /**
   * Addresses of the QR code for an `<img>`, without your key.
   *
   * They end after a while, by default an hour, and stay the same for a minute: ask for them when you show the picture.
   * Whoever has one can install the eSIM. 410: the eSIM was cancelled. Needs the scope `storefront`.
   *
   * @param id The eSIM's `id` or its ICCID (then your newest one).
   */
  getQrLinks(id: string, options: Options = {}): Promise<models.QrLinks> {
    return this.#send({ method: "GET", path: pathOf("/v1/esims/{}/qr-links", id), options });
  }

  /**
   * What can be added to an eSIM now, the cheapest first.
   *
   * Empty when nothing can. 501: this supplier cannot add to an eSIM. Needs the scope `storefront`.
   *
   * @param id The eSIM's `id` or its ICCID (then your newest one).
   */
  listTopupPlans(
    id: string,
    query: bodies.ListEsimTopupPlansQuery = {},
    options: Options = {},
  ): Listing<models.TopupPlan, models.TopupPlanList> {
    return new Listing(this.#send, {
      method: "GET",
      path: pathOf("/v1/esims/{}/topup-plans", id),
      query: { ...query },
      options,
    });
  }

  /**
   * Add data to an eSIM.
   *
   * An order of the kind topup, bought from the eSIM's own supplier and from no other. Send one of the ids that
   * `topup-plans` lists, or the id of a plan among them. 409 `not_topupable`: a cancel of the eSIM was asked for or is
   * done, or the eSIM is revoked or expired. Needs the scope `storefront`.
   *
   * @param id The eSIM's `id` or its ICCID (then your newest one).
   */
  topUp(
    id: string,
    body: bodies.TopupForOption | bodies.TopupForPlan,
    options: KeyOptions & WaitOptions = {},
  ): Promise<models.Order> {
    return this.#send({ method: "POST", path: pathOf("/v1/esims/{}/topups", id), body, isSpending: true, options });
  }
}

/** The operations of `/v1/events`. */
export class Events {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * Events of the last 30 days, the newest first.
   *
   * Those of your storefront, in the mode of the key, as webhook endpoints get them. An event is listed whether or not
   * an endpoint asks for it; only `plan.price_changed` and `plan.out_of_stock` need one that does. `endpoint.test` is
   * not listed. Needs the scope `storefront`.
   */
  list(query: bodies.ListEventsQuery = {}, options: Options = {}): Listing<models.GatewayEvent, models.EventPage> {
    return new Listing(this.#send, { method: "GET", path: "/v1/events", query: { ...query }, options });
  }
}

/** The operations of `/v1/goods`. */
export class Goods {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * List digital goods.
   *
   * Vouchers and recharges beside eSIMs, by name, with their prices of now. Needs the scope `goods`.
   */
  list(query: bodies.ListGoodsQuery = {}, options: Options = {}): Listing<models.DigitalGood, models.DigitalGoodPage> {
    return new Listing(this.#send, { method: "GET", path: "/v1/goods", query: { ...query }, options });
  }

  /**
   * Categories of digital goods.
   *
   * With the attributes that goods in them carry, and how many goods are in each. Needs the scope `goods`.
   */
  listCategories(
    query: bodies.ListGoodCategoriesQuery = {},
    options: Options = {},
  ): Listing<models.GoodCategoryShown, models.GoodCategoryList> {
    return new Listing(this.#send, { method: "GET", path: "/v1/goods/categories", query: { ...query }, options });
  }

  /**
   * One digital good.
   *
   * With `amount`, the price of that denomination where it is of one's choice; 409 for one that it cannot have. Needs
   * the scope `goods`.
   *
   * @param id The good's `id`.
   */
  get(id: string, query: bodies.GetGoodQuery = {}, options: Options = {}): Promise<models.DigitalGood> {
    return this.#send({ method: "GET", path: pathOf("/v1/goods/{}", id), query: { ...query }, options });
  }
}

/** The operations of `/v1/me`. */
export class Me {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * Which key this is.
   *
   * Whose it is, in which mode, what it opens, and its limits. It is a good first request of a new client. Every key
   * may, whatever its scopes.
   */
  get(options: Options = {}): Promise<models.OwnKey> {
    return this.#send({ method: "GET", path: "/v1/me", options });
  }

  /**
   * What this key may spend, and what it has spent.
   *
   * An operator sets it. 404: the key has no mandate, so that only the limit of its storefront bounds it. Needs the
   * scope `storefront`.
   */
  getMandate(options: Options = {}): Promise<models.Mandate> {
    return this.#send({ method: "GET", path: "/v1/me/mandate", options });
  }
}

/** The operations of `/v1/numbers/countries`. */
export class Numbers {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * Countries in which virtual numbers are sold.
   *
   * Each with the price of its cheapest tier. Needs the scope `storefront`.
   */
  listCountries(
    query: bodies.ListNumberCountriesQuery = {},
    options: Options = {},
  ): Listing<models.NumberCountryShown, models.NumberCountryList> {
    return new Listing(this.#send, { method: "GET", path: "/v1/numbers/countries", query: { ...query }, options });
  }

  /**
   * How long virtual numbers are held.
   *
   * With the price of each, in one country or the lowest of all. An order names country and tier: `{"number":
   * {"country": "US", "tier_id": "7d"}}`. Needs the scope `storefront`.
   */
  listTiers(
    query: bodies.ListNumberTiersQuery = {},
    options: Options = {},
  ): Listing<models.NumberTierShown, models.NumberTierList> {
    return new Listing(this.#send, { method: "GET", path: "/v1/numbers/tiers", query: { ...query }, options });
  }

  /**
   * Your virtual numbers, the newest first.
   *
   * Expiry and renewal are as the supplier last said; it is asked every hour. Needs the scope `storefront`.
   */
  list(
    query: bodies.ListNumbersQuery = {},
    options: Options = {},
  ): Listing<models.VirtualNumber, models.VirtualNumberPage> {
    return new Listing(this.#send, { method: "GET", path: "/v1/numbers", query: { ...query }, options });
  }

  /**
   * One virtual number.
   *
   * As its supplier last reported it. Needs the scope `storefront`.
   *
   * @param id The number's `id`.
   */
  get(id: string, options: Options = {}): Promise<models.VirtualNumber> {
    return this.#send({ method: "GET", path: pathOf("/v1/numbers/{}", id), options });
  }
}

/** The operations of `/v1/order-batches`. */
export class OrderBatches {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * Place several orders.
   *
   * Up to 20 orders for one plan or quote, all of them or none: where stock, our funds, your limits or the number of
   * open orders do not suffice for all, nothing is placed. Sent again under the same Idempotency-Key it answers the
   * same orders. A problem uses the key not up. From then on each order goes its own way: one may fail while the others
   * are fulfilled. Needs the scope `storefront`.
   */
  createBatch(
    body: bodies.BatchForPlan | bodies.BatchForQuote,
    options: KeyOptions & WaitOptions = {},
  ): Promise<models.OrderBatch> {
    return this.#send({ method: "POST", path: "/v1/order-batches", body, isSpending: true, options });
  }

  /**
   * The orders of a batch.
   *
   * Each as it stands; `Prefer: wait=10` waits for all of them to be answered. Needs the scope `storefront`.
   *
   * @param id The batch's `id`.
   */
  getBatch(id: string, options: WaitOptions = {}): Promise<models.OrderBatch> {
    return this.#send({ method: "GET", path: pathOf("/v1/order-batches/{}", id), options });
  }
}

/** The operations of `/v1/orders`. */
export class Orders {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * Place an order.
   *
   * For a plan, a virtual number or a digital good (scope `goods`) at its price of now, or for a quote at the price
   * that is held. The cheapest offer in stock is bought, once, and the next supplier asked only when it is certain that
   * nothing was bought. Sent again under the same Idempotency-Key it answers the same order. A problem uses the key not
   * up. `suppliers` needs the scope `routing`. Needs the scope `storefront`.
   */
  create(
    body: bodies.OrderForPlan | bodies.OrderForQuote | bodies.OrderForNumber | bodies.OrderForGood,
    options: KeyOptions & WaitOptions = {},
  ): Promise<models.Order> {
    return this.#send({ method: "POST", path: "/v1/orders", body, isSpending: true, options });
  }

  /**
   * Orders, the newest first.
   *
   * Those of your storefront, in the mode of the key. Each filter narrows. Needs the scope `storefront`.
   */
  list(query: bodies.ListOrdersQuery = {}, options: Options = {}): Listing<models.Order, models.OrderPage> {
    return new Listing(this.#send, { method: "GET", path: "/v1/orders", query: { ...query }, options });
  }

  /**
   * Say whether an order would be taken now.
   *
   * Its price, or the problem that it would meet. Nothing is placed and nothing held. Needs the scope `storefront`.
   */
  validate(
    body: bodies.OrderForPlan | bodies.OrderForQuote | bodies.OrderForNumber | bodies.OrderForGood,
    options: Options = {},
  ): Promise<models.Validated> {
    return this.#send({ method: "POST", path: "/v1/orders/validate", body, isHarmless: true, options });
  }

  /**
   * One order.
   *
   * With the scope `ops:read` also what it cost, and each attempt at a supplier. Needs the scope `storefront`.
   *
   * @param id The order's `id`.
   */
  get(id: string, options: WaitOptions = {}): Promise<models.Order> {
    return this.#send({ method: "GET", path: pathOf("/v1/orders/{}", id), options });
  }

  /**
   * What happened to an order, the oldest first.
   *
   * What the gateway did for it, step by step, in words that a storefront may show. Needs the scope `storefront`.
   *
   * @param id The order's `id`.
   */
  listEvents(id: string, options: Options = {}): Listing<models.OrderEvent, models.OrderEventList> {
    return new Listing(this.#send, { method: "GET", path: pathOf("/v1/orders/{}/events", id), options });
  }

  /**
   * Cancel an order.
   *
   * Cancels an unused eSIM where its supplier can; `refund` is then the amount that you get back. The supplier is asked
   * once, however often this is sent. An order of which nothing was sent to a supplier yet is cancelled at once,
   * whatever its kind. An order whose outcome is not known yet is cancelled when it is. When the supplier refuses, the
   * order is fulfilled as before. An eSIM that has top-ups is not cancelled: 409 `has_topups`. Needs the scope
   * `storefront`.
   *
   * @param id The order's `id`.
   */
  cancel(id: string, options: WaitOptions = {}): Promise<models.Order> {
    return this.#send({ method: "POST", path: pathOf("/v1/orders/{}/cancel", id), options });
  }

  /**
   * The e-mails that were sent to an order's customer.
   *
   * Of an order that delivered an eSIM also those about its use and its top-ups. Empty where e-mails are switched off,
   * which they are until an operator switches them on for you. Needs the scope `storefront`.
   *
   * @param id The order's `id`.
   */
  listEmails(id: string, options: Options = {}): Listing<models.TravellerEmail, models.TravellerEmailList> {
    return new Listing(this.#send, { method: "GET", path: pathOf("/v1/orders/{}/emails", id), options });
  }

  /**
   * Send an order's delivery to its customer once more.
   *
   * It goes to the order's `customer.email`. Asked for twice within a minute it is sent once. 409 `conflict`: e-mails
   * are switched off, or the order has no address or no eSIM to install. Needs the scope `storefront`.
   *
   * @param id The order's `id`.
   */
  resendEmail(id: string, options: Options = {}): Promise<models.TravellerEmail> {
    return this.#send({ method: "POST", path: pathOf("/v1/orders/{}/resend-email", id), options });
  }
}

/** The operations of `/v1/plans`. */
export class Plans {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * List plans.
   *
   * Each with the cheapest offer in stock that meets the filters, the cheapest plan first. Send the answer's ETag as
   * If-None-Match to learn cheaply that nothing changed. Needs the scope `catalog`.
   */
  list(query: bodies.ListPlansQuery = {}, options: Options = {}): Listing<models.Plan, models.PlanList> {
    return new Listing(this.#send, { method: "GET", path: "/v1/plans", query: { ...query }, options });
  }

  /**
   * One plan.
   *
   * 410 when it was in the catalogue once and has left it. Needs the scope `catalog`.
   *
   * @param planId The plan's `id`.
   */
  get(planId: string, query: bodies.GetPlanQuery = {}, options: Options = {}): Promise<models.Plan> {
    return this.#send({ method: "GET", path: pathOf("/v1/plans/{}", planId), query: { ...query }, options });
  }
}

/** The operations of `/v1/quotes`. */
export class Quotes {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * Create a quote.
   *
   * Send a need (countries, data, days, features) or a plan's id. The answer is the cheapest plan in stock that meets
   * it, its price held until `expires_at`, and why it was chosen. Regional and unlimited plans compete with local ones.
   * 404 `no_plan` says what was missing, and lists in `nearest` up to three plans that miss the least of it, the
   * cheapest first; 409 `no_stock`: plans match, but none can be sold now. Needs the scope `storefront`.
   */
  create(body: bodies.QuoteForPlan | bodies.QuoteForNeed, options: Options = {}): Promise<models.Quote> {
    return this.#send({ method: "POST", path: "/v1/quotes", body, isHarmless: true, options });
  }
}

/** The operations of `/v1/regions`. */
export class Regions {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * Regions.
   *
   * Named groups of countries, with how many plans in stock are of each and the lowest price. Needs the scope
   * `catalog`.
   */
  list(query: bodies.ListRegionsQuery = {}, options: Options = {}): Listing<models.RegionEntry, models.RegionList> {
    return new Listing(this.#send, { method: "GET", path: "/v1/regions", query: { ...query }, options });
  }
}

/** The operations of `/v1/webhook-endpoints`. */
export class WebhookEndpoints {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /**
   * Create a webhook endpoint.
   *
   * Without `events` all are sent. They are signed as Standard Webhooks says, with the `secret` that is shown here and
   * never again. An event that is not answered with 2xx is retried ten times within three days; 410 disables the
   * endpoint. Needs the scope `storefront`.
   */
  create(body: bodies.NewEndpoint, options: Options = {}): Promise<models.EndpointWithSecret> {
    return this.#send({ method: "POST", path: "/v1/webhook-endpoints", body, options });
  }

  /**
   * Your endpoints.
   *
   * The oldest first, without their secrets. Needs the scope `storefront`.
   */
  list(options: Options = {}): Listing<models.Endpoint, models.EndpointList> {
    return new Listing(this.#send, { method: "GET", path: "/v1/webhook-endpoints", options });
  }

  /**
   * One endpoint.
   *
   * Without its secret, which is shown when it is made and when it is rotated. Needs the scope `storefront`.
   *
   * @param id The endpoint's `id`.
   */
  get(id: string, options: Options = {}): Promise<models.Endpoint> {
    return this.#send({ method: "GET", path: pathOf("/v1/webhook-endpoints/{}", id), options });
  }

  /**
   * Change an endpoint.
   *
   * What is left out stays. Disabling calls off what is on its way; enabling sends what happens from then on. Needs the
   * scope `storefront`.
   *
   * @param id The endpoint's `id`.
   */
  change(id: string, body: bodies.EndpointChange, options: Options = {}): Promise<models.Endpoint> {
    return this.#send({ method: "PATCH", path: pathOf("/v1/webhook-endpoints/{}", id), body, options });
  }

  /**
   * Delete an endpoint and its delivery log; the answer is the deleted endpoint.
   *
   * What is on its way to it is called off. Needs the scope `storefront`.
   *
   * @param id The endpoint's `id`.
   */
  delete(id: string, options: Options = {}): Promise<models.Endpoint> {
    return this.#send({ method: "DELETE", path: pathOf("/v1/webhook-endpoints/{}", id), options });
  }

  /**
   * Make a new secret.
   *
   * For 24 hours each event is signed with both, the new one first. Rotating again within them ends the oldest. Needs
   * the scope `storefront`.
   *
   * @param id The endpoint's `id`.
   */
  rotateSecret(id: string, options: Options = {}): Promise<models.EndpointWithSecret> {
    return this.#send({ method: "POST", path: pathOf("/v1/webhook-endpoints/{}/rotate", id), options });
  }

  /**
   * Send a test.
   *
   * An event of the type `endpoint.test` goes to this endpoint, signed and logged like every other. Needs the scope
   * `storefront`.
   *
   * @param id The endpoint's `id`.
   */
  test(id: string, options: Options = {}): Promise<models.Delivery> {
    return this.#send({ method: "POST", path: pathOf("/v1/webhook-endpoints/{}/test", id), options });
  }

  /**
   * List the deliveries of an endpoint.
   *
   * The newest first, each with its attempts. Needs the scope `storefront`.
   *
   * @param id The endpoint's `id`.
   */
  listDeliveries(
    id: string,
    query: bodies.ListWebhookDeliveriesQuery = {},
    options: Options = {},
  ): Listing<models.Delivery, models.DeliveryPage> {
    return new Listing(this.#send, {
      method: "GET",
      path: pathOf("/v1/webhook-endpoints/{}/deliveries", id),
      query: { ...query },
      options,
    });
  }

  /**
   * Send an event again.
   *
   * A new delivery of the same event: its `webhook-id` is the same, so that a receiver can tell. Needs the scope
   * `storefront`.
   *
   * @param id The endpoint's `id`.
   * @param deliveryId The delivery's `id`.
   */
  replayDelivery(id: string, deliveryId: string, options: Options = {}): Promise<models.Delivery> {
    return this.#send({
      method: "POST",
      path: pathOf("/v1/webhook-endpoints/{}/deliveries/{}/replay", id, deliveryId),
      options,
    });
  }
}

/** All operations, in groups. */
export class Operations {
  readonly checkouts: Checkouts;
  readonly countries: Countries;
  readonly esims: Esims;
  readonly events: Events;
  readonly goods: Goods;
  readonly me: Me;
  readonly numbers: Numbers;
  readonly orderBatches: OrderBatches;
  readonly orders: Orders;
  readonly plans: Plans;
  readonly quotes: Quotes;
  readonly regions: Regions;
  readonly webhookEndpoints: WebhookEndpoints;

  constructor(send: Send) {
    this.checkouts = new Checkouts(send);
    this.countries = new Countries(send);
    this.esims = new Esims(send);
    this.events = new Events(send);
    this.goods = new Goods(send);
    this.me = new Me(send);
    this.numbers = new Numbers(send);
    this.orderBatches = new OrderBatches(send);
    this.orders = new Orders(send);
    this.plans = new Plans(send);
    this.quotes = new Quotes(send);
    this.regions = new Regions(send);
    this.webhookEndpoints = new WebhookEndpoints(send);
  }
}
