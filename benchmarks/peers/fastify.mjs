// A catalogue as Node.js would have it: every plan in memory, filtered and sorted anew for each question.
//
//     node fastify.mjs PLANS_FILE KEY
//
// Answers go through Fastify's own serialiser, compiled from the schema below.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fastify from 'fastify';

const [plansFile, key] = process.argv.slice(2);

const plans = readFileSync(plansFile, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
const byCountry = new Map();
for (const plan of plans) {
  for (const country of plan.countries) {
    if (!byCountry.has(country)) byCountry.set(country, []);
    byCountry.get(country).push(plan);
  }
}

// What each order goes by, as a fraction: the same ratio of two prices may differ in a float's last bit.
const cents = (plan) => Math.round(Number(plan.price.amount) * 100);
const SORTS = {
  price: (plan) => [cents(plan), 1],
  '-price': (plan) => [-cents(plan), 1],
  price_per_gb: (plan) => (plan.data.total_mb === null ? [1, 0] : [cents(plan), plan.data.total_mb]),
  price_per_day: (plan) => [cents(plan), plan.validity.days],
  data: (plan) => (plan.data.total_mb === null ? [1, 0] : [plan.data.total_mb, 1]),
  days: (plan) => [plan.validity.days, 1],
};

// The orders are made once; a question filters the rows of its country, which keep that order.
const ordered = new Map();
for (const [country, rows] of byCountry) {
  for (const [name, value] of Object.entries(SORTS)) {
    const sorted = rows.map((plan) => [value(plan), plan]);
    sorted.sort(([[a, b], one], [[c, d], other]) => a * d - c * b || (one.id < other.id ? -1 : 1));
    ordered.set(`${country} ${name}`, sorted.map(([, plan]) => plan));
  }
}

const keys = new Map([[createHash('sha256').update(key).digest('hex'), { storefront: 'bench' }]]);

const money = { type: 'object', nullable: true, properties: { amount: { type: 'string' }, currency: { type: 'string' } } };
const text = { type: 'string', nullable: true };
const whole = { type: 'integer', nullable: true };
const yes = { type: 'boolean', nullable: true };
const plan = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    name: { type: 'string' },
    scope: { type: 'string' },
    countries: { type: 'array', items: { type: 'string' } },
    data: {
      type: 'object',
      properties: {
        mb: whole,
        total_mb: whole,
        declared: { type: 'string' },
        unlimited: { type: 'boolean' },
        reset: { type: 'string' },
        fair_use: text,
        full_speed: { type: 'object', nullable: true, properties: { mb: whole, per: text } },
        after: { type: 'object', nullable: true, properties: { kbps: whole, cut_off: yes } },
        tier: text,
      },
    },
    validity: { type: 'object', properties: { days: whole, starts: text } },
    features: {
      type: 'object',
      properties: {
        topup: yes,
        voice: yes,
        sms: yes,
        exit_country: text,
        hotspot: yes,
        voice_minutes: whole,
        voice_unlimited: yes,
        sms_count: whole,
        sms_unlimited: yes,
        phone_number: yes,
        kyc_required: yes,
        install_within_days: whole,
        usage: text,
        refundable: yes,
        not_exit_countries: { type: 'array', items: { type: 'string' } },
      },
    },
    price: money,
    price_per_gb: money,
    price_per_day: money,
    in_stock: { type: 'boolean' },
    offer_count: { type: 'integer' },
    stale: { type: 'boolean' },
    updated_at: { type: 'string' },
  },
};
const answer = {
  type: 'object',
  properties: { data: { type: 'array', items: plan }, has_more: { type: 'boolean' } },
};

const app = fastify({ logger: false });

app.addHook('onRequest', async (request, reply) => {
  const bearer = request.headers.authorization ?? '';
  const digest = createHash('sha256').update(bearer.replace(/^Bearer /, '')).digest('hex');
  if (!keys.has(digest)) return reply.code(401).send({ data: [], has_more: false });
});

app.get('/v1/plans', { schema: { response: { '2xx': answer } } }, async (request) => {
  const { country, sort = 'price', unlimited, max_price: price = Infinity, max_days: days = Infinity } = request.query;
  const found = [];
  for (const plan of ordered.get(`${country} ${sort}`) ?? []) {
    if (unlimited !== undefined && plan.data.unlimited !== (unlimited === 'true')) continue;
    if (cents(plan) > Number(price) * 100 || plan.validity.days > Number(days)) continue;
    found.push(plan);
    if (found.length > 50) break;
  }
  return { data: found.slice(0, 50), has_more: found.length > 50 };
});

await app.listen({ host: '127.0.0.1', port: 0 });
console.log(app.server.address().port);
process.stdin.resume().on('end', () => process.exit(0));
