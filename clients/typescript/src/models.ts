/** What the API answers, and the events that it sends. Made by `make clients` from the API's description. Do not edit. */

// A newer gateway may send a value, or an event, that is not listed here.

export type AfterAllowance = "cut_off" | "throttled";

export type AttemptKind = "cancel" | "purchase" | "topup";

export type AttemptState = "accepted" | "charged_undeliverable" | "failed" | "sending" | "succeeded" | "unknown";

export type CheckoutEventDataStatus = "expired" | "needs_review" | "paid";

export type CheckoutFailureCode = "refused" | "unavailable";

export type CheckoutReviewReason =
  | "authorisation_only"
  | "live_payment"
  | "order_cancelled"
  | "order_refused"
  | "other_currency"
  | "other_link"
  | "other_movement"
  | "paid_after_close"
  | "paid_late"
  | "paid_too_little"
  | "paid_too_much"
  | "paid_twice"
  | "payment_not_seen"
  | "refund"
  | "test_payment"
  | "undeliverable"
  | "unknown_checkout";

export type CheckoutStatus = "closed" | "creating" | "expired" | "failed" | "needs_review" | "open" | "paid";

export type DeliveryStatus = "delivered" | "failed" | "pending";

export type EndpointStatus = "disabled" | "enabled";

export type FailureCode =
  | "cancelled"
  | "no_stock"
  | "not_supported"
  | "price_changed"
  | "spend_limit"
  | "supplier_refused"
  | "supplier_unavailable";

export type GoodAttributeNameTarget = "product" | "sku";

export type GoodDenominationKind = "custom" | "fixed";

export type NoticeType =
  | "checkout.expired"
  | "checkout.needs_review"
  | "checkout.paid"
  | "esim.state_changed"
  | "esim.usage_low"
  | "order.cancelled"
  | "order.failed"
  | "order.fulfilled"
  | "order.needs_review"
  | "plan.out_of_stock"
  | "plan.price_changed"
  | "topup.completed";

export type OrderKind = "esim" | "number" | "topup" | "voucher";

export type OrderStatus = "cancel_pending" | "cancelled" | "failed" | "fulfilled" | "needs_review" | "pending";

export type OwnKeyMode = "live" | "test";

export type OwnKeyScopes = "catalog" | "goods" | "ops" | "ops:read" | "routing" | "storefront";

export type Period = "day" | "month" | "total";

export type PlansInStock = "any" | "false" | "true";

export type PlansSort =
  | "-data"
  | "-days"
  | "-price"
  | "-price_per_day"
  | "-price_per_gb"
  | "data"
  | "days"
  | "price"
  | "price_per_day"
  | "price_per_gb";

export type ProfileState = "deleted" | "disabled" | "downloaded" | "enabled" | "installed" | "released" | "unknown";

export type Reset = "daily" | "monthly" | "never";

export type Scope = "country" | "global" | "region";

export type ServiceState = "active" | "depleted" | "expired" | "not_active" | "revoked" | "suspended" | "unknown";

export type Starts = "first_use" | "install" | "purchase" | "unknown";

export type TravellerEmailKind = "delivery" | "topup" | "usage";

export type TravellerEmailStatus = "bounced" | "failed" | "pending" | "sent" | "skipped" | "unknown";

export type VirtualNumberState = "active" | "expired";

/** One try at one supplier. */
export interface Attempt {
  /** Its number within the order, from 1. */
  n: number;
  /** What was asked of the supplier. */
  kind: AttemptKind;
  /** The supplier that was asked. */
  supplier: string;
  /** The supplier's own id for what was asked for. */
  supplier_plan_id: string;
  /** What came of it. */
  state: AttemptState;
  /** The gateway's reference, which the supplier was sent. */
  reference: string;
  /** The supplier's id for its order; null while it is not known. */
  supplier_order_id: string | null;
  /** What the supplier charged; null while that is not known. */
  cost: Price | null;
  /** What the supplier listed. */
  listed: Price | null;
  /** What the supplier said against it; null when nothing. */
  error: string | null;
  /** Why this offer was chosen. */
  why: string;
  /** When the supplier was asked. */
  started_at: string;
  /** When the outcome was known; null while it is not. */
  ended_at: string | null;
}

/** Which catalogue answered. */
export interface CatalogNote {
  /** The version of the catalogue; it changes with every change of a plan. */
  version: string;
  /** When its offers were last fetched; null before the first time. */
  synced_at: string | null;
  /** Whether offers of it were last observed longer ago than two sync intervals. */
  stale: boolean;
}

/** A checkout. Its plan and price stay as they were when it was made. */
export interface Checkout {
  /** The checkout's id. */
  id: string;
  /** Where the checkout stands. */
  status: CheckoutStatus;
  /** The plan that is paid. */
  plan: Plan;
  /** What the customer pays. */
  price: Price;
  /** Where the customer pays; null when it cannot be paid. */
  payment_url: string | null;
  /** Until when it can be paid. */
  expires_at: string;
  /** The order that was placed for it; null before it is paid. */
  order_id: string | null;
  /** Your own reference; null without one. */
  reference: string | null;
  /** The language of the payment page, ISO 639-1. */
  language: string;
  /** Where the customer comes back to after paying; null without one. */
  return_url: string | null;
  /** What waits for an operator; null when nothing does. */
  review: CheckoutReview | null;
  /** Why no payment link came about; null when one did. */
  failure: CheckoutFailure | null;
  /** The texts that you sent with it. */
  metadata: Record<string, unknown>;
  /** When it was made. */
  created_at: string;
  /** When it last changed. */
  updated_at: string;
  /** When it was paid; null before. */
  paid_at: string | null;
}

/** A checkout whose status changed. It holds neither the payment's page nor the customer's address. */
export interface CheckoutEventData {
  /** The checkout's `id`. */
  checkout_id: string;
  /** The checkout's status after the change. */
  status: CheckoutEventDataStatus;
  /** Your own reference; null without one. */
  reference: string | null;
  /** The plan that the customer pays for. */
  plan_id: string;
  /** What the customer pays. */
  price: Price;
  /** The order that was placed for it; null before that. */
  order_id: string | null;
  /** What an operator has to decide; only of a checkout that needs review. */
  reason?: CheckoutReviewReason;
}

/** Nobody paid a checkout in its time. */
export interface CheckoutExpiredEvent {
  /** The type of the event. */
  type: "checkout.expired";
  /** The event's id: the `webhook-id` of every try and replay. */
  id: string;
  /** When it happened. */
  timestamp: string;
  /** The checkout. */
  data: CheckoutEventData;
}

/** Why no payment link came about. Nothing can have been paid through one. */
export interface CheckoutFailure {
  /** Whether the payment supplier refused, or did not answer. */
  code: CheckoutFailureCode;
  /** The same in words. */
  detail: string;
}

/** A checkout waits for an operator; `reason` is what for. */
export interface CheckoutNeedsReviewEvent {
  /** The type of the event. */
  type: "checkout.needs_review";
  /** The event's id: the `webhook-id` of every try and replay. */
  id: string;
  /** When it happened. */
  timestamp: string;
  /** The checkout, with its `reason`. */
  data: CheckoutEventData;
}

/** A page of a list. */
export interface CheckoutPage {
  /** The rows of this page. */
  data: Checkout[];
  /** Whether another page follows. */
  has_more: boolean;
  /** Send it as `cursor` for the next page; null on the last one. */
  next_cursor: string | null;
}

/** A customer paid a checkout and its order was placed. `order.fulfilled` follows. */
export interface CheckoutPaidEvent {
  /** The type of the event. */
  type: "checkout.paid";
  /** The event's id: the `webhook-id` of every try and replay. */
  id: string;
  /** When it happened. */
  timestamp: string;
  /** The checkout, with its `order_id`. */
  data: CheckoutEventData;
}

/** What waits for an operator. */
export interface CheckoutReview {
  /** What the operator has to decide. */
  reason: CheckoutReviewReason;
  /** Since when it waits. */
  since: string;
}

/** A country that plans cover, and the lowest price among them. */
export interface CountryEntry {
  /** The country. */
  code: string;
  /** The country's name in English. */
  name: string;
  /** How many plans in stock cover it. */
  plan_count: number;
  /** The lowest price of a plan that covers it. */
  from_price: Price | null;
}

/** All countries that some plan covers. */
export interface CountryList {
  /** The countries, by name. */
  data: CountryEntry[];
}

/** An eSIM's data in MB, 1 GB being 1024; null where the supplier does not say. */
export interface DataUsage {
  /** All data. */
  total_mb: number | null;
  /** What is used of it. */
  used_mb: number | null;
  /** What is left of it. */
  remaining_mb: number | null;
}

/** An event on its way to an endpoint. */
export interface Delivery {
  /** The delivery's id. */
  id: string;
  /** The event's id: the `webhook-id` of every try and replay. */
  event_id: string;
  /** The type of the event. */
  event_type: string;
  /** Whether the event arrived, is still tried, or was given up. */
  status: DeliveryStatus;
  /** Every try, the oldest first. */
  attempts: DeliveryAttempt[];
  /** When it is tried next; null when it is not. */
  next_attempt_at: string | null;
  /** When the delivery was created. */
  created_at: string;
}

/** One try. */
export interface DeliveryAttempt {
  /** When it was sent. */
  at: string;
  /** The status of the answer; null when none came. */
  http_status: number | null;
  /** A word for why no good answer came; null where `http_status` says it all. */
  error: string | null;
  /** How long it took, in milliseconds. */
  ms: number;
}

/** A page of a list. */
export interface DeliveryPage {
  /** The rows of this page. */
  data: Delivery[];
  /** Whether another page follows. */
  has_more: boolean;
  /** Send it as `cursor` for the next page; null on the last one. */
  next_cursor: string | null;
}

/** A voucher or recharge. */
export interface DigitalGood {
  /** The good's id. */
  id: string;
  /** The kind of good. */
  type: string;
  /** Its name. */
  name: string;
  /** The name of its product. */
  product_name: string;
  /** What it is for. */
  description: string;
  /** A picture of it; null without one. */
  image: string | null;
  /** The category that it stands in. */
  category: GoodCategoryName | null;
  /** Where it is accepted, as far as that is told. */
  countries: string[];
  /** The supplier's own words by their codes, which the categories list. */
  attributes: Record<string, string>;
  /** What it is worth to its holder. */
  denomination: GoodDenomination;
  /** What an order must tell. */
  fields: GoodFieldAsked[];
  /** The most that one order may be for; null without a limit. */
  max_per_order: number | null;
  /** The price of one; null for a custom denomination until an amount is named. */
  price: Price | null;
  /** Whether it can be bought now. */
  in_stock: boolean;
  /** Whether it was last observed longer ago than two sync intervals. */
  stale: boolean;
  /** The language of the texts; null where that is not known. */
  locale: string | null;
  /** When it last changed. */
  updated_at: string;
}

/** A page of a list. */
export interface DigitalGoodPage {
  /** The rows of this page. */
  data: DigitalGood[];
  /** Whether another page follows. */
  has_more: boolean;
  /** Send it as `cursor` for the next page; null on the last one. */
  next_cursor: string | null;
}

/** An endpoint. */
export interface Endpoint {
  /** The endpoint's id. */
  id: string;
  /** Where events are sent. */
  url: string;
  /** Which events are sent; all when none is named. */
  events: string[];
  /** What the endpoint is for. */
  description: string;
  /** A disabled endpoint is sent nothing. */
  status: EndpointStatus;
  /** Until then each event is signed with the secret before, too; null when only one is in force. */
  old_secret_until: string | null;
  /** When the endpoint was created. */
  created_at: string;
}

/** The endpoints of a storefront in this mode, the oldest first. */
export interface EndpointList {
  /** The endpoints. */
  data: Endpoint[];
}

/** The endpoint that a test is for. */
export interface EndpointTestData {
  /** The endpoint's `id`. */
  endpoint_id: string;
}

/** You asked for a test of an endpoint. It goes to that endpoint whatever events it asks for. */
export interface EndpointTestEvent {
  /** The type of the event. */
  type: "endpoint.test";
  /** The event's id: the `webhook-id` of every try and replay. */
  id: string;
  /** When it happened. */
  timestamp: string;
  /** The endpoint. */
  data: EndpointTestData;
}

/** An endpoint with its signing secret, which is shown this once. */
export interface EndpointWithSecret {
  /** The endpoint's id. */
  id: string;
  /** Where events are sent. */
  url: string;
  /** Which events are sent; all when none is named. */
  events: string[];
  /** What the endpoint is for. */
  description: string;
  /** A disabled endpoint is sent nothing. */
  status: EndpointStatus;
  /** Until then each event is signed with the secret before, too; null when only one is in force. */
  old_secret_until: string | null;
  /** When the endpoint was created. */
  created_at: string;
  /** What events are signed with, by Standard Webhooks. It is shown this once. */
  secret: string;
}

/** An eSIM's life as its supplier last reported it. */
export interface Esim {
  /** The eSIM's id. */
  id: string;
  /** Its ICCID. */
  iccid: string;
  /** The order that it was delivered for. */
  order_id: string;
  /** The plan that was bought. */
  plan_id: string;
  /** The profile, on the SM-DP+ side and on the device. */
  profile_state: ProfileState;
  /** The subscription, on the network side. */
  service_state: ServiceState;
  /** Its data; null where the supplier does not say. */
  data: DataUsage | null;
  /** When it ends; null where the supplier does not say. */
  expires_at: string | null;
  /** Whether data can be added to it; null where that is not known. */
  can_topup: boolean | null;
  /** The data packages on it. */
  packages: EsimPackage[];
  /** The operators that it may use. */
  coverage: EsimCoverage[];
  /** The access point name that a phone needs; null where the supplier does not tell it. */
  apn: string | null;
  /** Its phone number; null where the supplier does not tell it. */
  msisdn: string | null;
  /** Its number in the network; null where the supplier does not tell it. */
  imsi: string | null;
  /** When it must be installed at the latest; null where the plan states no such limit. */
  install_by: string | null;
  /** When the supplier reported this; null when it was not asked yet. */
  observed_at: string | null;
  /** When it was delivered. */
  created_at: string;
}

/** An operator that the eSIM may use in a country. */
export interface EsimCoverage {
  /** The country. */
  country: string;
  /** The operator's name. */
  operator: string;
}

/** One data package on an eSIM. */
export interface EsimPackage {
  /** The package's name. */
  name: string;
  /** All its data in MB; null where the supplier does not say. */
  total_mb: number | null;
  /** What is left of it in MB; null where the supplier does not say. */
  remaining_mb: number | null;
  /** When it ends; null where the supplier does not say. */
  expires_at: string | null;
  /** The supplier's word for its state. */
  state: string | null;
}

/** A page of a list. */
export interface EsimPage {
  /** The rows of this page. */
  data: Esim[];
  /** Whether another page follows. */
  has_more: boolean;
  /** Send it as `cursor` for the next page; null on the last one. */
  next_cursor: string | null;
}

/** An eSIM whose profile or service has another state. */
export interface EsimStateChangedData {
  /** The eSIM's `id`. */
  esim_id: string;
  /** Its ICCID. */
  iccid: string;
  /** The order that it was delivered for. */
  order_id: string;
  /** When its supplier reported this. */
  observed_at: string;
  /** The profile, on the SM-DP+ side and on the device. */
  profile_state: ProfileState;
  /** The subscription, on the network side. */
  service_state: ServiceState;
  /** The states before. */
  previous: EsimStates;
}

/**
 * An eSIM was installed, activated, suspended, or changed its state in another way.
 *
 * It is sent when the gateway sees the change at the supplier, some time after it happened.
 */
export interface EsimStateChangedEvent {
  /** The type of the event. */
  type: "esim.state_changed";
  /** The event's id: the `webhook-id` of every try and replay. */
  id: string;
  /** When it happened. */
  timestamp: string;
  /** The eSIM, with both its states. */
  data: EsimStateChangedData;
}

/** Both states of an eSIM, as they were. */
export interface EsimStates {
  /** The profile, on the SM-DP+ side and on the device. */
  profile_state: ProfileState;
  /** The subscription, on the network side. */
  service_state: ServiceState;
}

/** What was used of an eSIM's data. */
export interface EsimUsage {
  /** Its data; null where the supplier does not say. */
  data: DataUsage | null;
  /** When the supplier reported this. */
  observed_at: string;
}

/** An eSIM whose data is nearly used up. */
export interface EsimUsageLowData {
  /** The eSIM's `id`. */
  esim_id: string;
  /** Its ICCID. */
  iccid: string;
  /** The order that it was delivered for. */
  order_id: string;
  /** When its supplier reported this. */
  observed_at: string;
  /** The percentage of its data that is used, at least: 75, 90 or 100. */
  threshold: number;
  /** Its data in MB; null when the supplier reports only that nothing is left. */
  data: DataUsage | null;
}

/**
 * 75, 90 or 100 percent of an eSIM's data is used. A top-up starts the count again.
 *
 * It is sent when the gateway sees the usage at the supplier, some time after it happened.
 */
export interface EsimUsageLowEvent {
  /** The type of the event. */
  type: "esim.usage_low";
  /** The event's id: the `webhook-id` of every try and replay. */
  id: string;
  /** When it happened. */
  timestamp: string;
  /** The eSIM, with its usage. */
  data: EsimUsageLowData;
}

/** A page of events, the newest first. */
export interface EventPage {
  /** The rows of this page. */
  data: GatewayEvent[];
  /** Whether another page follows. */
  has_more: boolean;
  /** Send it as `cursor` for the next page; null on the last one. */
  next_cursor: string | null;
}

/** Why an order came to nothing. */
export interface Failure {
  /** A word for programs. */
  code: FailureCode;
  /** The same in words. */
  detail: string;
}

/** What limits an allowance beyond its amount, in short: `full_speed` and `after` of the plan say it exactly. */
export interface FairUsePolicy {
  /** What follows the allowance; null where the supplier does not say. */
  after: AfterAllowance | null;
  /** How much data runs at full speed, in MB; null where the supplier does not say. */
  allowance_mb: number | null;
  /** Whether `allowance_mb` is for each day. */
  per_day: boolean;
}

/** An attribute that goods of a category carry. */
export interface GoodAttributeName {
  /** The attribute's code. */
  code: string;
  /** Its name. */
  name: string;
  /** The kind of its values. */
  type: string;
  /** Whether it is of a product or of each good. */
  target: GoodAttributeNameTarget;
}

/** The categories, in the supplier's order. */
export interface GoodCategoryList {
  /** The categories. */
  data: GoodCategoryShown[];
}

/** The category that a good stands in. */
export interface GoodCategoryName {
  /** The category's id. */
  id: string;
  /** Its name; null where the supplier has none. */
  name: string | null;
}

/** A category of goods, and how many goods stand in it. */
export interface GoodCategoryShown {
  /** The category's id. */
  id: string;
  /** Its name. */
  name: string;
  /** The category above it; null for one at the top. */
  parent_id: string | null;
  /** The attributes that its goods carry. */
  attributes: GoodAttributeName[];
  /** How many goods stand in it. */
  goods: number;
}

/** What a good is worth to its holder. */
export interface GoodDenomination {
  /** `fixed`: `face_value`. `custom`: an amount that the order names. */
  kind: GoodDenominationKind;
  /** What a fixed one is worth; null where the supplier does not say. */
  face_value: Price | null;
  /** The currency of a custom amount. */
  currency: string | null;
  /** The least custom amount; null where that is not stated. */
  least: string | null;
  /** The highest custom amount; null where that is not stated. */
  most: string | null;
}

/** What an order must tell under `fields`. */
export interface GoodFieldAsked {
  /** The name under which to tell it. */
  name: string;
  /** What to ask the customer. */
  label: string;
  /** Whether it must be given. */
  required: boolean;
  /** A regular expression that it must match; null without one. */
  pattern: string | null;
  /** All that may stand there; empty when anything may. */
  options: string[];
}

/** Links that install the eSIM when they are opened on the phone itself. */
export interface InstallLinks {
  /** For iOS 17.4 and later. */
  ios: string;
  /** For Android. */
  android: string;
}

/** What a key may do at most. */
export interface KeyLimits {
  /** How many requests the key may send in a minute. */
  requests_per_minute: number;
  /** How many orders of your storefront may be open at once; null without a limit. */
  open_orders: number | null;
}

/** What a key may spend at most, and what it has spent. Orders that failed or were cancelled do not count. */
export interface Mandate {
  /** The most that one order may come to. */
  per_order: Price;
  /** The most for all orders of a UTC day. */
  per_day: Price;
  /** The most for all orders of a UTC month. */
  per_month: Price;
  /** What was ordered under the mandate in this UTC day. */
  spent_today: Price;
  /** What was ordered under the mandate in this UTC month. */
  spent_this_month: Price;
  /** When the mandate ends; the key places no order from then on. */
  ends_at: string;
}

/** A thing of a need that a plan does not have. */
export interface MissedThing {
  /** The part of the need. */
  what: string;
  /** What was asked for. */
  asked: number | boolean | string | string[];
  /** What the plan has instead; null where the supplier does not say. */
  has: number | boolean | string | string[] | null;
}

/** A plan that comes near a need which none meets, with what it misses. */
export interface NearestPlan {
  /** The plan. */
  plan: Plan;
  /** What it misses. */
  misses: MissedThing[];
}

/** What would have been chosen next. */
export interface NextBest {
  /** The plan that would have been chosen next. */
  plan_id: string;
  /** Its price. */
  price: Price;
}

/** Where numbers are sold, by name. */
export interface NumberCountryList {
  /** The countries. */
  data: NumberCountryShown[];
}

/** A country in which numbers are sold. */
export interface NumberCountryShown {
  /** The country. */
  code: string;
  /** The country's name in English. */
  name: string;
  /** The price of the cheapest tier that can be bought now; null when none can. */
  from_price: Price | null;
  /** Whether one can be bought now. */
  in_stock: boolean;
}

/** The tiers, the shortest first. */
export interface NumberTierList {
  /** The tiers. */
  data: NumberTierShown[];
}

/** How long a number is held. */
export interface NumberTierShown {
  /** Send it as `tier_id`. */
  id: string;
  /** The tier's name. */
  name: string;
  /** For how many days. */
  days: number;
  /** The lowest price; null when it cannot be bought now. */
  price: Price | null;
  /** The countries in which it can be bought now. */
  countries: string[];
  /** Whether it can be bought now. */
  in_stock: boolean;
}

/** How long a number is held. */
export interface NumberTierSold {
  /** The tier's id. */
  id: string;
  /** The tier's name. */
  name: string;
  /** For how many days. */
  days: number;
}

/** An order. Its plan and price stay as they were when it was placed. */
export interface Order {
  /** The order's id. */
  id: string;
  /** What was ordered. */
  kind: OrderKind;
  /** Where the order stands. `fulfilled`, `failed` and `cancelled` are final; `needs_review` waits for an operator. */
  status: OrderStatus;
  /** Your own reference; null without one. */
  reference: string | null;
  /** The plan; null for a number or a voucher. */
  plan: Plan | null;
  /** What the customer pays. */
  price: Price;
  /** What the traveller installs; null until it is delivered. */
  esim: OrderedEsim | null;
  /** The virtual number; null for anything else. */
  number: OrderedNumber | null;
  /** The digital good; null for anything else. */
  voucher: OrderedVoucher | null;
  /** Why the order failed; null when it did not. */
  failure: Failure | null;
  /** What is given back; null unless the order was cancelled. */
  refund: Price | null;
  /** The texts that you sent with the order. */
  metadata: Record<string, unknown>;
  /** When the order was placed. */
  created_at: string;
  /** When the order last changed. */
  updated_at: string;
  /** When it was delivered; null before. */
  fulfilled_at: string | null;
  /** What the chosen offer was to cost. Needs the scope `ops:read`. */
  cost_quoted?: Price | null;
  /** What the supplier charged. Needs the scope `ops:read`. */
  cost_charged?: Price | null;
  /** The supplier that delivered, or was asked last. Needs the scope `ops:read`. */
  supplier?: string | null;
  /** Each try at a supplier. Needs the scope `ops:read`. */
  attempts?: Attempt[];
}

/** Orders that were placed together for one plan. Each goes its own way from then on. */
export interface OrderBatch {
  /** The batch's id. */
  id: string;
  /** The orders, always in the same sequence. */
  orders: Order[];
}

/** An order was cancelled; `refund` is what is given back. */
export interface OrderCancelledEvent {
  /** The type of the event. */
  type: "order.cancelled";
  /** The event's id: the `webhook-id` of every try and replay. */
  id: string;
  /** When it happened. */
  timestamp: string;
  /** The order, with its `refund`. */
  data: OrderEventData;
}

/** Something that happened to an order. */
export interface OrderEvent {
  /** When it happened. */
  at: string;
  /** A word for what happened. */
  type: string;
  /** The same in words. */
  detail: string;
  /** What operators see of it; needs the scope `ops:read`. */
  ops?: Record<string, unknown>;
}

/** An order whose status changed. It holds no activation code, number or PIN: fetch the order. */
export interface OrderEventData {
  /** The order's `id`. */
  order_id: string;
  /** What was ordered. */
  kind: OrderKind;
  /** The order's status after the change. */
  status: OrderStatus;
  /** Your own reference of the order; null without one. */
  reference: string | null;
  /** The `id` of the plan that was ordered, or of what else was: a number or a digital good. */
  plan_id: string;
  /** What the customer pays. */
  price: Price;
  /** Why the order failed; only of an order that failed. */
  failure?: OrderEventFailure;
  /** What is given back; only of an order that was cancelled. */
  refund?: Price;
  /** The eSIM that was delivered or topped up. */
  esim_id?: string;
  /** The virtual number that was delivered. */
  number_id?: string;
  /** The ICCID of the eSIM that was delivered. */
  iccid?: string;
}

/** Why an order failed. */
export interface OrderEventFailure {
  /** A word for programs. */
  code: FailureCode;
  /** The same in words. */
  detail: string | null;
}

/** Everything that happened to an order, the oldest first. */
export interface OrderEventList {
  /** What happened, the oldest first. */
  data: OrderEvent[];
}

/** An order failed. Nothing was bought, and nothing is owed. */
export interface OrderFailedEvent {
  /** The type of the event. */
  type: "order.failed";
  /** The event's id: the `webhook-id` of every try and replay. */
  id: string;
  /** When it happened. */
  timestamp: string;
  /** The order, with its `failure`. */
  data: OrderEventData;
}

/** An order was delivered. Fetch the order for its activation code, number or voucher codes. */
export interface OrderFulfilledEvent {
  /** The type of the event. */
  type: "order.fulfilled";
  /** The event's id: the `webhook-id` of every try and replay. */
  id: string;
  /** When it happened. */
  timestamp: string;
  /** The order. */
  data: OrderEventData;
}

/** An operator has to find out what became of an order. Another event follows when that is known. */
export interface OrderNeedsReviewEvent {
  /** The type of the event. */
  type: "order.needs_review";
  /** The event's id: the `webhook-id` of every try and replay. */
  id: string;
  /** When it happened. */
  timestamp: string;
  /** The order. */
  data: OrderEventData;
}

/** A page of a list. */
export interface OrderPage {
  /** The rows of this page. */
  data: Order[];
  /** Whether another page follows. */
  has_more: boolean;
  /** Send it as `cursor` for the next page; null on the last one. */
  next_cursor: string | null;
}

/** One code of a voucher. Whoever has it can spend it. */
export interface OrderedCode {
  /** The PIN; null without one. */
  pin: string | null;
  /** The serial number; null without one. */
  serial: string | null;
  /** Until when it can be spent; null where the supplier does not say. */
  expires_at: string | null;
  /** What a recharge says instead of a code. */
  told: string | null;
}

/**
 * What a traveller installs. Whoever has the activation code takes the line.
 *
 * Of a top-up it is the eSIM that the data went to, without its code.
 */
export interface OrderedEsim {
  /** The eSIM's id. */
  id: string;
  /** Its ICCID. */
  iccid: string;
  /** What a phone reads from the QR code; null where it is not shown or cannot be installed. */
  activation_code: string | null;
  /** The SM-DP+ address, for typing by hand. */
  smdp_address: string | null;
  /** The matching ID, for typing by hand. */
  matching_id: string | null;
  /** Whether the phone asks for a confirmation code. */
  confirmation_code_required: boolean;
  /** The QR code as SVG, for requests with your key. */
  qr_svg_url: string | null;
  /** The QR code as PNG, for requests with your key. */
  qr_png_url: string | null;
  /** Links that install it on the phone itself. */
  install: InstallLinks | null;
  /** A page for the traveller that needs no key; null where the gateway has no public address. */
  page_url: string | null;
}

/** A virtual number that was ordered. */
export interface OrderedNumber {
  /** The country of the number. */
  country: string;
  /** The country's name in English. */
  country_name: string;
  /** How long it is held. */
  tier: NumberTierSold;
  /** The number's id; null until it is delivered. */
  id: string | null;
  /** The number; null until it is delivered. */
  phone_number: string | null;
  /** When it ends, as the supplier said last; null where it does not say. */
  expires_at: string | null;
  /** Whether the supplier renews it, as it said last; null where it does not say. */
  autorenew: boolean | null;
  /** When the supplier said so; null until it is delivered. */
  observed_at: string | null;
}

/** A digital good that was ordered. */
export interface OrderedVoucher {
  /** The good's id. */
  good_id: string;
  /** The good's name. */
  name: string;
  /** The name of its product. */
  product_name: string;
  /** The kind of good. */
  type: string;
  /** How many. */
  quantity: number;
  /** The denomination that was chosen; null for a fixed one. */
  amount: Price | null;
  /** The codes, one for each unit; empty until they are delivered. */
  codes: OrderedCode[];
}

/** The key that a request is sent with, without its text. */
export interface OwnKey {
  /** The key's id. */
  id: string;
  /** What the key is for; null without a name. */
  name: string | null;
  /** Whose key it is. */
  storefront: string;
  /** Live or test. */
  mode: OwnKeyMode;
  /** What the key opens, with what each scope includes. */
  scopes: OwnKeyScopes[];
  /** What the key may do at most. */
  limits: KeyLimits;
}

/**
 * What a traveller buys.
 *
 * Price, stock, networks and features are those of the offer that an order under these filters would buy now: the
 * cheapest in stock.
 */
export interface Plan {
  /** The plan's id. It follows from what the plan is, so it is the same after every sync. */
  id: string;
  /** The plan's name in English, made of its countries, data and days. */
  name: string;
  /** How far the plan reaches. */
  scope: Scope;
  /** Every country that the plan covers. */
  countries: string[];
  /** How much data. */
  data: PlanData;
  /** For how many days, and from when. */
  validity: PlanValidity;
  /** What it can do besides data. */
  features: PlanFeatures;
  /** What the customer pays; of a plan without stock the last price. Null when there is no price in this currency. */
  price: Price | null;
  /** The price of 1 GB at full speed; null where it is not known how much that is. */
  price_per_gb: Price | null;
  /** The price of one day. */
  price_per_day: Price | null;
  /** Whether it can be bought now. */
  in_stock: boolean;
  /** How many offers could be sold. */
  offer_count: number;
  /** Whether its offers were last observed longer ago than two sync intervals. */
  stale: boolean;
  /** When the plan last changed. */
  updated_at: string;
  /** The operators that it uses; a list of plans has them with `expand=networks`. */
  networks?: PlanNetwork[];
}

/** What follows the full-speed data. */
export interface PlanAfter {
  /** The speed in kbit/s; null where the supplier does not say. */
  kbps: number | null;
  /** Whether data ends; null where the supplier does not say. */
  cut_off: boolean | null;
}

/** How much data. Amounts below 1 GB are as they are; from there on 1 GB counts as 1024. */
export interface PlanData {
  /** The amount in MB, of a day or month by `reset`; null when unlimited. */
  mb: number | null;
  /** The amount over all days of the plan, in MB; null when unlimited. */
  total_mb: number | null;
  /** The amount as text. */
  declared: string;
  /** Whether the plan has no fixed amount of data. */
  unlimited: boolean;
  /** Whether the amount is for the whole validity, or for each day or month of it. */
  reset: Reset;
  /** The same as `full_speed` and `after` in short; null where nothing is stated. */
  fair_use: FairUsePolicy | null;
  /** How much data runs at full speed; null where an unlimited plan states nothing. */
  full_speed: PlanFullSpeed | null;
  /** What follows the full-speed data. */
  after: PlanAfter;
  /** The supplier's word for a grade of the plan, such as Lite; null without one. */
  tier: string | null;
}

/** What a plan can do besides data; null means that the supplier does not say. */
export interface PlanFeatures {
  /** Whether data can be added to the eSIM. */
  topup: boolean | null;
  /** Whether it has calls. */
  voice: boolean | null;
  /** Whether it has SMS. */
  sms: boolean | null;
  /** The country where traffic reaches the internet. */
  exit_country: string | null;
  /** Whether the connection may be shared. */
  hotspot: boolean | null;
  /** Minutes of calls that are included. */
  voice_minutes: number | null;
  /** Whether calls are unlimited; `voice_minutes` is then null. */
  voice_unlimited: boolean | null;
  /** SMS that are included. */
  sms_count: number | null;
  /** Whether SMS are unlimited; `sms_count` is then null. */
  sms_unlimited: boolean | null;
  /** Whether the eSIM has a phone number of its own. */
  phone_number: boolean | null;
  /** Whether the traveller must be identified before it works. */
  kyc_required: boolean | null;
  /** How many days after the purchase it must be installed at the latest. */
  install_within_days: number | null;
  /** Whether the supplier reports how much of an eSIM is used. */
  usage: boolean | null;
  /** Whether the supplier takes an unused eSIM back. */
  refundable: boolean | null;
  /** Countries where the supplier says that traffic does not reach the internet. */
  not_exit_countries: string[];
}

/** How much data runs at full speed. */
export interface PlanFullSpeed {
  /** The amount in MB; null where the supplier says that nothing limits it. */
  mb: number | null;
  /** What the amount is for. */
  per: Period;
}

/** A page of plans. */
export interface PlanList {
  /** The rows of this page. */
  data: Plan[];
  /** Whether another page follows. */
  has_more: boolean;
  /** Send it as `cursor` for the next page; null on the last one. */
  next_cursor: string | null;
  /** The catalogue that the plans are from. */
  catalog: CatalogNote;
  /** The ids of plans that left since `updated_since`. */
  gone?: string[];
}

/** An operator used in a country. */
export interface PlanNetwork {
  /** The country. */
  country: string;
  /** The operator's name. */
  operator: string;
  /** The best generation, such as 4G or 5G; null where the supplier does not say. */
  generation: string | null;
  /** The operator's number by ITU-T E.212; null where it is not known. */
  mcc_mnc: string | null;
}

/** Plans that are sold out. */
export interface PlanOutOfStockData {
  /** Up to 500 plans; more come in further events. */
  plans: SoldOutPlan[];
}

/** A sync found nothing left to sell of these plans. */
export interface PlanOutOfStockEvent {
  /** The type of the event. */
  type: "plan.out_of_stock";
  /** The event's id: the `webhook-id` of every try and replay. */
  id: string;
  /** When it happened. */
  timestamp: string;
  /** The plans. */
  data: PlanOutOfStockData;
}

/** Plans with other prices. */
export interface PlanPriceChangedData {
  /** Up to 500 plans; more come in further events. */
  plans: RepricedPlan[];
}

/** A sync found other prices. Prices are in the gateway's base currency, by your own pricing rules. */
export interface PlanPriceChangedEvent {
  /** The type of the event. */
  type: "plan.price_changed";
  /** The event's id: the `webhook-id` of every try and replay. */
  id: string;
  /** When it happened. */
  timestamp: string;
  /** The plans. */
  data: PlanPriceChangedData;
}

/** How many days a plan lasts, and what starts them. */
export interface PlanValidity {
  /** For how many days the plan is valid. */
  days: number;
  /** What starts these days. */
  starts: Starts;
}

/** An exact amount, written out in full, of one currency. */
export interface Price {
  /** The amount, written out in full. */
  amount: string;
  /** The currency of the amount. */
  currency: string;
}

/** An error, as RFC 9457 writes it. */
export interface Problem {
  /** A page that says what causes this code and what to do. */
  type: string;
  /** The code in words. */
  title: string;
  /** The HTTP status of the answer. */
  status: number;
  /** The error code, for programs. `/errors/{code}` explains each. */
  code: string;
  /** The request's id, by which the operator finds it in the log. */
  request_id: string;
  /** What is wrong with this very request, for people. */
  detail?: string;
  /** The parts of the request that are wrong. */
  errors?: ProblemError[];
  /** Of `plan_replaced`: the plans that the offers of the one asked for are now. */
  successors?: string[];
  /** Of `no_plan`: plans in stock that miss one thing of the need, or two. */
  nearest?: NearestPlan[];
}

/** One thing that is wrong. */
export interface ProblemError {
  /** Where: a JSON pointer into the body, or `/name` of a parameter. */
  pointer: string;
  /** What is wrong there. */
  detail: string;
}

/** Addresses of the QR code that need no key, for a page or a mail. Whoever has one can install the eSIM. */
export interface QrLinks {
  /** As an SVG picture. */
  svg_url: string;
  /** As a PNG picture. */
  png_url: string;
  /** When both end. */
  expires_at: string;
}

/** A plan whose price is held until `expires_at`. */
export interface Quote {
  /** The quote's id: send it as `quote_id` with an order. */
  id: string;
  /** The plan that was chosen. */
  plan: Plan;
  /** The price that is held. */
  price: Price;
  /** Until when the price is held. */
  expires_at: string;
  /** Why this plan was chosen. */
  why: WhyChosen;
}

/** A named group of countries, how many plans are of it, and the lowest price among them. */
export interface RegionEntry {
  /** The region's code: a value for `region` in the list of plans. */
  code: string;
  /** The region's name in English. */
  name: string;
  /** The countries of the region. */
  countries: string[];
  /** How many plans in stock are of it. */
  plan_count: number;
  /** The lowest price among them. */
  from_price: Price | null;
}

/** The named groups of countries. */
export interface RegionList {
  /** The regions. */
  data: RegionEntry[];
}

/** A plan with another price. */
export interface RepricedPlan {
  /** The plan's `id`. */
  id: string;
  /** The plan's name. */
  name: string;
  /** The price now; null when the plan has none in this currency. */
  price: Price | null;
  /** The price before. */
  old_price: Price | null;
}

/** A plan that cannot be bought now. */
export interface SoldOutPlan {
  /** The plan's `id`. */
  id: string;
  /** The plan's name. */
  name: string;
}

/** Data was added to an eSIM. */
export interface TopupCompletedEvent {
  /** The type of the event. */
  type: "topup.completed";
  /** The event's id: the `webhook-id` of every try and replay. */
  id: string;
  /** When it happened. */
  timestamp: string;
  /** The order of the top-up. */
  data: OrderEventData;
}

/** Something that can be added to an eSIM, at today's price. */
export interface TopupPlan {
  /** Send it as `topup_plan_id`. */
  id: string;
  /** The plan that it is. */
  plan_id: string;
  /** Its name. */
  name: string;
  /** How much data it adds. */
  data: PlanData;
  /** For how many days, and from when. */
  validity: PlanValidity;
  /** What the customer pays. */
  price: Price;
}

/** What can be added to an eSIM, the cheapest first; empty when nothing can. */
export interface TopupPlanList {
  /** The plans. */
  data: TopupPlan[];
}

/** An e-mail to the traveller of an order. */
export interface TravellerEmail {
  /** The e-mail's id. */
  id: string;
  /** The order that it is about. */
  order_id: string;
  /** The delivery, a warning that data runs out, or the confirmation of a top-up. */
  kind: TravellerEmailKind;
  /** `bounced`: the mail server refused it for good. `unknown`: it was handed over, and no answer came. */
  status: TravellerEmailStatus;
  /** What the mail server said, or why nothing was sent; it holds no address. */
  detail: string | null;
  /** Whether somebody asked for it. */
  resent: boolean;
  /** When it was queued. */
  created_at: string;
  /** When the mail server took it; null when it did not. */
  sent_at: string | null;
}

/** The e-mails of an order, the newest first. */
export interface TravellerEmailList {
  /** The e-mails. */
  data: TravellerEmail[];
}

/** An order that would be taken now, and its price. */
export interface Validated {
  /** Always true: an order that would not be taken is answered with its problem. */
  valid: true;
  /** What the customer would pay. */
  price: Price;
}

/** A number that was delivered. */
export interface VirtualNumber {
  /** The number's id. */
  id: string;
  /** The order that it was delivered for. */
  order_id: string;
  /** The number. */
  phone_number: string;
  /** The country of the number. */
  country: string;
  /** The country's name in English. */
  country_name: string;
  /** How long it is held. */
  tier: NumberTierSold;
  /** Whether it is still held, by the clock and `expires_at`. */
  state: VirtualNumberState;
  /** When it ends, as the supplier said last; null where it does not say. */
  expires_at: string | null;
  /** Whether the supplier renews it, as it said last; null where it does not say. */
  autorenew: boolean | null;
  /** When the supplier said so. */
  observed_at: string;
  /** When it was delivered. */
  created_at: string;
}

/** A page of a list. */
export interface VirtualNumberPage {
  /** The rows of this page. */
  data: VirtualNumber[];
  /** Whether another page follows. */
  has_more: boolean;
  /** Send it as `cursor` for the next page; null on the last one. */
  next_cursor: string | null;
}

/** How the plan of a quote was found. */
export interface WhyChosen {
  /** How many plans meet the need. */
  plans_considered: number;
  /** How many of them can be bought now. */
  plans_in_stock: number;
  /** The rule that chose among them. */
  rule: string;
  /** What would have been chosen next; null when nothing else meets the need. */
  next_best: NextBest | null;
  /**
   * Whether the plan is unlimited, does not say how much of it is at full speed, and was counted by what is assumed.
   */
  assumed: boolean;
}

export type GatewayEvent =
  | OrderFulfilledEvent
  | OrderFailedEvent
  | OrderNeedsReviewEvent
  | OrderCancelledEvent
  | TopupCompletedEvent
  | CheckoutPaidEvent
  | CheckoutExpiredEvent
  | CheckoutNeedsReviewEvent
  | EsimStateChangedEvent
  | EsimUsageLowEvent
  | PlanPriceChangedEvent
  | PlanOutOfStockEvent
  | EndpointTestEvent;
