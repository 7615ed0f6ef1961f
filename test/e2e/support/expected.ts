import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The results of the examples, computed a second time and another way: from the files, in one pass, without a task. */

const STOP = new Set(
  (
    'a an and are as at be been but by can do does for from had has have he her him his how i if in into is it its ' +
    'no nobody not of on one only or other she so than that the their them then there they this to too until was we ' +
    'were what when where which while who with without would you your'
  ).split(' '),
);

export interface Expected {
  readonly words: number;
  readonly vocabulary: number;
  readonly closest: { readonly a: string; readonly b: string; readonly similarity: number };
  weightOf(document: string, term: string): number;
  /** The greatest weights of a document, falling. */
  heaviest(document: string, count: number): number[];
}

export function tfIdf(folder: string): Expected {
  const texts = readdirSync(folder)
    .sort()
    .map((file) => ({ name: file.replace('.txt', ''), text: readFileSync(join(folder, file), 'utf8') }));
  const bags = new Map(texts.map(({ name, text }) => [name, bagOf(text)]));
  const vocabulary = new Set([...bags.values()].flatMap((bag) => [...bag.keys()]));
  const weightOf = (document: string, term: string): number => {
    const bag = bags.get(document) ?? new Map<string, number>();
    const size = [...bag.values()].reduce((sum, count) => sum + count, 0);
    const having = [...bags.values()].filter((other) => other.has(term)).length;
    return ((bag.get(term) ?? 0) / size) * Math.log(bags.size / having);
  };
  const names = [...bags.keys()];
  const vectors = new Map(names.map((name) => [name, [...vocabulary].map((term) => weightOf(name, term))]));
  const pairs = names.flatMap((a, index) =>
    names.slice(index + 1).map((b) => ({ a, b, similarity: cosine(vectors.get(a) ?? [], vectors.get(b) ?? []) })),
  );
  const [closest = { a: '', b: '', similarity: 0 }] = pairs.sort((x, y) => y.similarity - x.similarity);
  return {
    words: texts.reduce((sum, { text }) => sum + text.split(/[^A-Za-z]+/).filter(Boolean).length, 0),
    vocabulary: vocabulary.size,
    closest,
    weightOf,
    heaviest: (document, count) => [...(vectors.get(document) ?? [])].sort((x, y) => y - x).slice(0, count),
  };
}

function bagOf(text: string): Map<string, number> {
  const bag = new Map<string, number>();
  for (const word of text.toLowerCase().split(/[^a-z]+/)) {
    if (word !== '' && !STOP.has(word)) bag.set(word, (bag.get(word) ?? 0) + 1);
  }
  return bag;
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, value, index) => sum + value * (y[index] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

interface Sums {
  orders: number;
  quantity: number;
  cents: number;
}

/** The outputs of csv-diamond.yaml for a file of orders. */
export function ordersOf(path: string): Record<string, unknown> {
  const tables: Record<'byCountry' | 'byProduct' | 'byMonth', Record<string, Sums>> = {
    byCountry: {},
    byProduct: {},
    byMonth: {},
  };
  const rejected: Record<string, number> = {};
  const total: Sums = { orders: 0, quantity: 0, cents: 0 };
  const seen = new Set<string>();
  for (const line of readFileSync(path, 'utf8').trim().split('\n').slice(1)) {
    const read = readOrder(line, seen);
    if (typeof read === 'string') {
      rejected[read] = (rejected[read] ?? 0) + 1;
      continue;
    }
    const groups = [
      (tables.byCountry[read.country] ??= { orders: 0, quantity: 0, cents: 0 }),
      (tables.byProduct[read.product] ??= { orders: 0, quantity: 0, cents: 0 }),
      (tables.byMonth[read.month] ??= { orders: 0, quantity: 0, cents: 0 }),
      total,
    ];
    for (const group of groups) {
      group.orders += 1;
      group.quantity += read.quantity;
      group.cents += read.cents;
    }
  }
  const best = { country: top(tables.byCountry), product: top(tables.byProduct), month: top(tables.byMonth) };
  return { orders: total.orders, quantity: total.quantity, revenue: total.cents / 100, best, rejected, ...tables };
}

interface Order {
  readonly country: string;
  readonly product: string;
  readonly month: string;
  readonly quantity: number;
  readonly cents: number;
}

/** The order, or why it is left out. Only the price may hold a comma, and it comes last. */
function readOrder(line: string, seen: Set<string>): Order | string {
  const [id = '', date = '', country = '', product = '', quantity = '', ...price] = line.split(',');
  if (seen.has(id)) return 'duplicate';
  seen.add(id);
  if (!(Number(quantity) > 0)) return 'no quantity';
  const iso = date.includes('.') ? date.split('.').reverse().join('-') : date;
  // A day that is not in the calendar moves on to the next month.
  if (new Date(`${iso}T00:00:00Z`).toJSON()?.slice(0, 10) !== iso) return 'bad date';
  const cents = Math.round(Number(price.join('.').replaceAll('"', '')) * 100);
  if (Number.isNaN(cents)) return 'bad price';
  const count = Number(quantity);
  return {
    country: country.trim().toUpperCase(),
    product,
    month: iso.slice(0, 7),
    quantity: count,
    cents: count * cents,
  };
}

function top(groups: Record<string, Sums>): string {
  return Object.entries(groups).sort(([, a], [, b]) => b.cents - a.cents)[0]?.[0] ?? '';
}
