/** Writes orders.csv: 2,000 orders of a shop, with the faults real exports have. The same bytes at every run. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ORDERS = 2_000;
const COUNTRIES = ['DE', 'DE', 'DE', 'FR', 'FR', 'IT', 'NL', 'PL', 'SE', 'ES'];
const PRODUCTS = [
  ['kettle', 3_490],
  ['teapot', 2_850],
  ['cup', 690],
  ['tray', 1_590],
  ['green tea', 1_240],
  ['black tea', 990],
  ['strainer', 450],
  ['timer', 1_190],
];

/** mulberry32: the whole state is one 32 bit number. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const random = generator(20_250_101);
const below = (limit) => Math.floor(random() * limit);
const pick = (list) => list[below(list.length)];

function orderOf(number) {
  const day = new Date(Date.UTC(2025, 0, 1 + below(365))).toISOString().slice(0, 10);
  const [product, cents] = pick(PRODUCTS);
  // One in five is sold at a tenth less.
  const price = below(5) === 0 ? Math.round(cents * 0.9) : cents;
  return {
    id: `A${String(number).padStart(5, '0')}`,
    date: day,
    country: pick(COUNTRIES),
    product,
    quantity: String(1 + below(6)),
    price: (price / 100).toFixed(2),
  };
}

/** What people and programs do to an export: most of it can be read all the same, some can't. */
function spoil(order) {
  switch (below(60)) {
    case 0:
      return { ...order, quantity: '' };
    case 1:
      return { ...order, quantity: '0' };
    case 2:
      return { ...order, date: '2025-02-30' };
    case 3:
      return { ...order, price: 'n/a' };
    case 4:
    case 5:
      return { ...order, country: ` ${order.country.toLowerCase()}` };
    case 6:
    case 7:
      return { ...order, date: order.date.split('-').reverse().join('.') };
    case 8:
      return { ...order, price: order.price.replace('.', ',') };
    default:
      return order;
  }
}

const lines = ['order_id,date,country,product,quantity,unit_price'];
for (let number = 1; number <= ORDERS; number += 1) {
  const { id, date, country, product, quantity, price } = spoil(orderOf(number));
  const line = [id, date, country, product, quantity, price.includes(',') ? `"${price}"` : price].join(',');
  lines.push(line);
  // An export that was resumed has a row twice.
  if (below(100) === 0) lines.push(line);
}
writeFileSync(join(import.meta.dirname, 'orders.csv'), `${lines.join('\n')}\n`);
