/** Lists of any length: iterate over the rows, and the pages are fetched as they are needed. */

import type { Call, Send } from "./calls.ts";

/** What every answer with a list holds. A list that is never cut has no cursor. */
export interface Page<Row> {
  data: Row[];
  next_cursor?: string | null;
}

/** The rows of a list. Nothing is fetched before the first one is asked for; each iteration begins anew. */
export class Listing<Row, P extends Page<Row>> implements AsyncIterable<Row> {
  readonly #send: Send;
  readonly #call: Call;

  constructor(send: Send, call: Call) {
    this.#send = send;
    this.#call = call;
  }

  /** Page by page, with what stands beside the rows. */
  async *pages(): AsyncGenerator<P, void, undefined> {
    let call = this.#call;
    for (;;) {
      const page = await this.#send<P>(call);
      yield page;
      if (page.next_cursor === undefined || page.next_cursor === null) return;
      call = { ...call, query: { ...call.query, cursor: page.next_cursor } };
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Row, void, undefined> {
    for await (const page of this.pages()) yield* page.data;
  }
}
