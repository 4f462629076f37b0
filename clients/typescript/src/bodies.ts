/** What is handed to operations. Made by `make clients` from the API's description. Do not edit. */

import type * as models from "./models.ts";

/** Buy a plan several times at its price of now. */
export interface BatchForPlan {
  /** The plan to buy. */
  plan_id: string;
  /** Features that the offer must have. */
  features?: NeedFeatures | undefined;
  /** Which suppliers may be asked; needs the scope `routing`. */
  suppliers?: SupplierChoice | undefined;
  /** Your own reference. The orders get it with `-1`, `-2` and so on, unique within your storefront. */
  reference?: string | undefined;
  /** Who travels. */
  customer?: Customer | undefined;
  /** Nothing is placed, with `price_changed`, when one of the orders would cost more. */
  max_price?: PriceLimit | undefined;
  /** Up to 50 texts of your own, returned with the order. */
  metadata?: Readonly<Record<string, string>> | undefined;
  /** How many orders are placed, each for one eSIM. */
  quantity: number;
}

/** Buy what was quoted several times, each at the price that is held. */
export interface BatchForQuote {
  /** The quote's `id`. */
  quote_id: string;
  /** Features that the offer must have. */
  features?: NeedFeatures | undefined;
  /** Which suppliers may be asked; needs the scope `routing`. */
  suppliers?: SupplierChoice | undefined;
  /** Your own reference. The orders get it with `-1`, `-2` and so on, unique within your storefront. */
  reference?: string | undefined;
  /** Who travels. */
  customer?: Customer | undefined;
  /** Nothing is placed, with `price_changed`, when one of the orders would cost more. */
  max_price?: PriceLimit | undefined;
  /** Up to 50 texts of your own, returned with the order. */
  metadata?: Readonly<Record<string, string>> | undefined;
  /** How many orders are placed, each for one eSIM. */
  quantity: number;
}

/** Have a plan paid at its price of now. */
export interface CheckoutForPlan {
  /** The plan to be paid. */
  plan_id: string;
  /** Features that the offer must have. */
  features?: NeedFeatures | undefined;
  /** Who travels, and pays. */
  customer?: Customer | undefined;
  /** Of the payment page, ISO 639-1. `"en"` by default. */
  language?: string | undefined;
  /** Where the customer comes back to after paying; https in live mode. */
  return_url?: string | undefined;
  /** Your own reference; it becomes the order's. */
  reference?: string | undefined;
  /** Up to 50 texts of your own; they become the order's. */
  metadata?: Readonly<Record<string, string>> | undefined;
}

/** Have what was quoted paid, at the price that is held. */
export interface CheckoutForQuote {
  /** The quote's `id`. */
  quote_id: string;
  /** Who travels, and pays. */
  customer?: Customer | undefined;
  /** Of the payment page, ISO 639-1. `"en"` by default. */
  language?: string | undefined;
  /** Where the customer comes back to after paying; https in live mode. */
  return_url?: string | undefined;
  /** Your own reference; it becomes the order's. */
  reference?: string | undefined;
  /** Up to 50 texts of your own; they become the order's. */
  metadata?: Readonly<Record<string, string>> | undefined;
}

/** Who travels. The address is kept encrypted and never given to a supplier. */
export interface Customer {
  /** The traveller's e-mail address. */
  email?: string | undefined;
  /** The language of e-mails to the traveller, such as `de` or `pt-BR`; the storefront's by default. */
  language?: string | undefined;
}

/** What is to be different; what is left out stays. A disabled endpoint is sent nothing. */
export interface EndpointChange {
  /** Where events are sent: an https URL at a public address, without user, password or fragment. */
  url?: string | undefined;
  /** Which events are sent; all when none is named. */
  events?: readonly models.NoticeType[] | undefined;
  /** What the endpoint is for. */
  description?: string | undefined;
  /** A disabled endpoint is sent nothing. */
  status?: models.EndpointStatus | undefined;
}

/** Features that a plan must have; what is left out may be either way. */
export interface NeedFeatures {
  /** Can be topped up. */
  topup?: true | undefined;
  /** Has voice. */
  voice?: true | undefined;
  /** Has SMS. */
  sms?: true | undefined;
  /** 5G in each country asked for, or in some country when none is. */
  network?: "5G" | undefined;
  /**
   * This operator's network in each country asked for, or in some country when none is: words of its name, or its MCC
   * and MNC.
   */
  operator?: string | undefined;
  /** Where traffic reaches the internet; matches only what is known. */
  exit_country?: string | undefined;
  /**
   * Traffic does not reach the internet in this country, or, with commas, in any of these; matches only what is known.
   */
  not_exit_country?: string | undefined;
  /** Can be shared. */
  hotspot?: true | undefined;
  /** Includes at least so many minutes of calls. */
  voice_minutes?: number | undefined;
  /** Includes at least so many SMS. */
  sms_count?: number | undefined;
  /** Has a phone number of its own. */
  phone_number?: true | undefined;
  /** Whether the traveller must be identified before it works; `false` leaves such plans out. */
  kyc_required?: boolean | undefined;
  /** Its supplier tells how much is used. */
  usage?: true | undefined;
  /** Its supplier takes an unused eSIM back. */
  refundable?: true | undefined;
}

/** Where events are to be sent, and which. */
export interface NewEndpoint {
  /** Where events are sent: an https URL at a public address, without user, password or fragment. */
  url: string;
  /** Which events are sent; all when none is named. */
  events?: readonly models.NoticeType[] | undefined;
  /** What the endpoint is for. */
  description?: string | undefined;
}

/** A virtual number: where, and how long it is held. */
export interface NumberChoice {
  /** The country of the number. */
  country: string;
  /** How long it is held: `id` in the list of tiers. */
  tier_id: string;
}

/** Buy a digital good at its price of now; needs the scope `goods`. */
export interface OrderForGood {
  /** The good's `id`. */
  good_id: string;
  /** How many; one by default. */
  quantity?: number | undefined;
  /** The denomination of a good that has one of one's choice. */
  amount?: PriceLimit | undefined;
  /** The answers to what the good's product asks for, by the names of its `fields`. */
  fields?: Readonly<Record<string, string>> | undefined;
  /** Which suppliers may be asked; needs the scope `routing`. */
  suppliers?: SupplierChoice | undefined;
  /** Your own reference, unique within your storefront. */
  reference?: string | undefined;
  /** Who travels. */
  customer?: Customer | undefined;
  /** The order fails with `price_changed` when it would cost more. */
  max_price?: PriceLimit | undefined;
  /** Up to 50 texts of your own, returned with the order. */
  metadata?: Readonly<Record<string, string>> | undefined;
}

/** Buy a virtual number at its price of now. */
export interface OrderForNumber {
  /** The number to buy. */
  number: NumberChoice;
  /** Which suppliers may be asked; needs the scope `routing`. */
  suppliers?: SupplierChoice | undefined;
  /** Your own reference, unique within your storefront. */
  reference?: string | undefined;
  /** Who travels. */
  customer?: Customer | undefined;
  /** The order fails with `price_changed` when it would cost more. */
  max_price?: PriceLimit | undefined;
  /** Up to 50 texts of your own, returned with the order. */
  metadata?: Readonly<Record<string, string>> | undefined;
}

/** Buy a plan at its price of now. */
export interface OrderForPlan {
  /** The plan to buy. */
  plan_id: string;
  /** Features that the offer must have. */
  features?: NeedFeatures | undefined;
  /** Which suppliers may be asked; needs the scope `routing`. */
  suppliers?: SupplierChoice | undefined;
  /** Your own reference, unique within your storefront. */
  reference?: string | undefined;
  /** Who travels. */
  customer?: Customer | undefined;
  /** The order fails with `price_changed` when it would cost more. */
  max_price?: PriceLimit | undefined;
  /** Up to 50 texts of your own, returned with the order. */
  metadata?: Readonly<Record<string, string>> | undefined;
}

/** Buy what was quoted, at the price that is held. */
export interface OrderForQuote {
  /** The quote's `id`. */
  quote_id: string;
  /** Features that the offer must have. */
  features?: NeedFeatures | undefined;
  /** Which suppliers may be asked; needs the scope `routing`. */
  suppliers?: SupplierChoice | undefined;
  /** Your own reference, unique within your storefront. */
  reference?: string | undefined;
  /** Who travels. */
  customer?: Customer | undefined;
  /** The order fails with `price_changed` when it would cost more. */
  max_price?: PriceLimit | undefined;
  /** Up to 50 texts of your own, returned with the order. */
  metadata?: Readonly<Record<string, string>> | undefined;
}

/** The most that an order may cost the customer. */
export interface PriceLimit {
  /** The amount. */
  amount: string;
  /** The currency of the amount. */
  currency: string;
}

/** What a traveller needs: all of the countries, at least the data, for at least the days. */
export interface QuoteForNeed {
  /** The countries that the plan must cover, all of them. */
  countries: readonly string[];
  /** The least data at full speed, in MB. */
  data_mb?: number | undefined;
  /** Only plans whose data goes on after the full-speed data. `false` by default. */
  unlimited?: boolean | undefined;
  /** For at least how many days. */
  days?: number | undefined;
  /** Features that the plan must have. */
  features?: NeedFeatures | undefined;
  /** The currency of the price; the gateway's base currency by default. */
  currency?: string | undefined;
  /** In test mode: plans on which a supplier's sandbox goes wrong on purpose compete, too. `false` by default. */
  triggers?: boolean | undefined;
}

/** One plan by its id. */
export interface QuoteForPlan {
  /** The plan. */
  plan_id: string;
  /** Features that the offer must have. */
  features?: NeedFeatures | undefined;
  /** The currency of the price; the gateway's base currency by default. */
  currency?: string | undefined;
}

/** Which suppliers an order may go to; needs the scope `routing`. */
export interface SupplierChoice {
  /** Only these suppliers. */
  only?: readonly string[] | undefined;
  /** All suppliers but these. */
  ignore?: readonly string[] | undefined;
}

/** Add one of the eSIM's top-up plans to it. */
export interface TopupForOption {
  /** The plan to add: `id` in the eSIM's list of top-up plans. */
  topup_plan_id: string;
  /** Your own reference, unique within your storefront. */
  reference?: string | undefined;
  /** Who travels. */
  customer?: Customer | undefined;
  /** The order fails with `price_changed` when it would cost more. */
  max_price?: PriceLimit | undefined;
  /** Up to 50 texts of your own, returned with the order. */
  metadata?: Readonly<Record<string, string>> | undefined;
}

/** Add a plan to an eSIM. */
export interface TopupForPlan {
  /** The plan to add. */
  plan_id: string;
  /** Your own reference, unique within your storefront. */
  reference?: string | undefined;
  /** Who travels. */
  customer?: Customer | undefined;
  /** The order fails with `price_changed` when it would cost more. */
  max_price?: PriceLimit | undefined;
  /** Up to 50 texts of your own, returned with the order. */
  metadata?: Readonly<Record<string, string>> | undefined;
}

/** What `plans.list` can be asked for. */
export interface ListPlansQuery {
  /** Plans that cover this country; repeated: all of them. */
  country?: readonly string[] | undefined;
  /** Plans of this region (`code` in `/v1/regions`). */
  region?: string | undefined;
  /** One country, a region, or 100 countries and more. */
  scope?: models.Scope | undefined;
  /**
   * At least this much data in MB. Multiples of 512 count 1024 a GB, other numbers 1000. Only data at full speed
   * counts: of a daily plan its amount times its days, or times `min_days` when that is given; of an unlimited plan
   * what it states to run at full speed, or what is assumed where it states nothing.
   */
  min_data_mb?: number | undefined;
  /** Only plans whose data goes on, be it slower, or none of them. */
  unlimited?: boolean | undefined;
  /** Valid for at least so many days. */
  min_days?: number | undefined;
  /** Valid for at most so many days. */
  max_days?: number | undefined;
  /** The highest price, as an amount of `currency`. */
  max_price?: string | undefined;
  /** The currency of prices; the gateway's base currency by default. */
  currency?: string | undefined;
  /** What can be sold now, what cannot, or both. */
  in_stock?: models.PlansInStock | undefined;
  /** Words of the plan's name. */
  q?: string | undefined;
  /** Plans that changed since this time; ids that left since are listed in `gone`. */
  updated_since?: Date | string | undefined;
  /**
   * Plans on which a supplier's sandbox goes wrong on purpose, too. Only test mode has such; one is found by its id
   * without this.
   */
  triggers?: boolean | undefined;
  /** `networks`: each plan with the operators that it uses. */
  expand?: readonly "networks"[] | undefined;
  /** What to sort by; `-` turns it round. */
  sort?: models.PlansSort | undefined;
  /** How many at most. */
  limit?: number | undefined;
  /** Where to go on: the `next_cursor` of a page. */
  cursor?: string | undefined;
  /** Can be topped up. */
  topup?: true | undefined;
  /** Has voice. */
  voice?: true | undefined;
  /** Has SMS. */
  sms?: true | undefined;
  /** 5G in each country asked for, or in some country when none is. */
  network?: "5G" | undefined;
  /**
   * This operator's network in each country asked for, or in some country when none is: words of its name, or its MCC
   * and MNC.
   */
  operator?: string | undefined;
  /** Where traffic reaches the internet; matches only what is known. */
  exit_country?: string | undefined;
  /**
   * Traffic does not reach the internet in this country, or, with commas, in any of these; matches only what is known.
   */
  not_exit_country?: string | undefined;
  /** Can be shared. */
  hotspot?: true | undefined;
  /** Includes at least so many minutes of calls. */
  voice_minutes?: number | undefined;
  /** Includes at least so many SMS. */
  sms_count?: number | undefined;
  /** Has a phone number of its own. */
  phone_number?: true | undefined;
  /** Whether the traveller must be identified before it works; `false` leaves such plans out. */
  kyc_required?: boolean | undefined;
  /** Its supplier tells how much is used. */
  usage?: true | undefined;
  /** Its supplier takes an unused eSIM back. */
  refundable?: true | undefined;
}

/** What `plans.get` can be asked for. */
export interface GetPlanQuery {
  /** The currency of prices; the gateway's base currency by default. */
  currency?: string | undefined;
}

/** What `countries.list` can be asked for. */
export interface ListCountriesQuery {
  /** The currency of prices; the gateway's base currency by default. */
  currency?: string | undefined;
}

/** What `regions.list` can be asked for. */
export interface ListRegionsQuery {
  /** The currency of prices; the gateway's base currency by default. */
  currency?: string | undefined;
}

/** What `orders.list` can be asked for. */
export interface ListOrdersQuery {
  /** How many at most. */
  limit?: number | undefined;
  /** Where to go on: the `next_cursor` of a page. */
  cursor?: string | undefined;
  /** Only orders in this state. */
  status?: models.OrderStatus | undefined;
  /** Only orders of this kind. */
  kind?: models.OrderKind | undefined;
  /** The order with this reference of yours. */
  reference?: string | undefined;
  /** Only orders from this time on. */
  created_from?: Date | string | undefined;
  /** Only orders from before this time. */
  created_to?: Date | string | undefined;
  /** Only orders with this `customer.email`. */
  email?: string | undefined;
  /** Only orders with this text in their `metadata`, as `key:value`; repeated: with all of them. */
  metadata?: readonly string[] | undefined;
}

/** What `checkouts.list` can be asked for. */
export interface ListCheckoutsQuery {
  /** How many at most. */
  limit?: number | undefined;
  /** Where to go on: the `next_cursor` of a page. */
  cursor?: string | undefined;
  /** Only checkouts in this state. */
  status?: models.CheckoutStatus | undefined;
  /** The checkout with this reference of yours. */
  reference?: string | undefined;
}

/** What `esims.list` can be asked for. */
export interface ListEsimsQuery {
  /** How many at most. */
  limit?: number | undefined;
  /** Where to go on: the `next_cursor` of a page. */
  cursor?: string | undefined;
}

/** What `esims.listTopupPlans` can be asked for. */
export interface ListEsimTopupPlansQuery {
  /** The currency of prices; the gateway's base currency by default. */
  currency?: string | undefined;
}

/** What `numbers.listCountries` can be asked for. */
export interface ListNumberCountriesQuery {
  /** The currency of prices; the gateway's base currency by default. */
  currency?: string | undefined;
}

/** What `numbers.listTiers` can be asked for. */
export interface ListNumberTiersQuery {
  /** As they are there. */
  country?: string | undefined;
  /** The currency of prices; the gateway's base currency by default. */
  currency?: string | undefined;
}

/** What `numbers.list` can be asked for. */
export interface ListNumbersQuery {
  /** How many at most. */
  limit?: number | undefined;
  /** Where to go on: the `next_cursor` of a page. */
  cursor?: string | undefined;
}

/** What `goods.list` can be asked for. */
export interface ListGoodsQuery {
  /** How many at most. */
  limit?: number | undefined;
  /** Where to go on: the `next_cursor` of a page. */
  cursor?: string | undefined;
  /** A category's `id` in `/v1/goods/categories`. */
  category?: string | undefined;
  /** `voucher`, `recharge_fixed`, `recharge`, `voucher_open_range` or `other`. */
  type?: string | undefined;
  /** Words of the name. */
  q?: string | undefined;
  /** Only goods accepted there. */
  country?: string | undefined;
  /** `code:value`, to the letter; repeated: all of them. */
  attribute?: readonly string[] | undefined;
  /** The language of names and descriptions, where the supplier has it. */
  locale?: string | undefined;
  /** The currency of prices; the gateway's base currency by default. */
  currency?: string | undefined;
}

/** What `goods.listCategories` can be asked for. */
export interface ListGoodCategoriesQuery {
  /** The language of names and descriptions, where the supplier has it. */
  locale?: string | undefined;
}

/** What `goods.get` can be asked for. */
export interface GetGoodQuery {
  /** A denomination of one's choice, in its own currency: the price is then of it. */
  amount?: string | undefined;
  /** The language of names and descriptions, where the supplier has it. */
  locale?: string | undefined;
  /** The currency of prices; the gateway's base currency by default. */
  currency?: string | undefined;
}

/** What `webhookEndpoints.listDeliveries` can be asked for. */
export interface ListWebhookDeliveriesQuery {
  /** How many at most. */
  limit?: number | undefined;
  /** Where to go on: the `next_cursor` of a page. */
  cursor?: string | undefined;
}

/** What `events.list` can be asked for. */
export interface ListEventsQuery {
  /** How many at most. */
  limit?: number | undefined;
  /** Where to go on: the `next_cursor` of a page. */
  cursor?: string | undefined;
  /** Only events of this type. */
  type?: models.NoticeType | undefined;
}
