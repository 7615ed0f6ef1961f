import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';

export type Argument = string | number;

interface Script {
  readonly sha: string;
  readonly text: string;
}

const scripts = new Map<string, Script>();

function load(name: string): Script {
  const known = scripts.get(name);
  if (known !== undefined) return known;
  const text = textOf(name);
  const script = { text, sha: createHash('sha1').update(text).digest('hex') };
  scripts.set(name, script);
  return script;
}

/** A line `--- @script NAME` makes another script a function (KEYS, ARGV) of that name. */
function textOf(name: string): string {
  const own = readFileSync(join(__dirname, '..', 'lua', `${name}.lua`), 'utf8');
  return own.replaceAll(
    /^--- @script (\w+)$/gm,
    (_, used: string) => `local function ${used}(KEYS, ARGV)\n${textOf(used)}\nend`,
  );
}

/** Scripts that a connection has called with success since it stands. */
const called = new WeakMap<Redis, Set<string>>();

function calledOn(redis: Redis): Set<string> {
  const known = called.get(redis);
  if (known !== undefined) return known;
  const names = new Set<string>();
  called.set(redis, names);
  // The server that answers next may not have them.
  redis.on('close', () => names.clear());
  return names;
}

/** True when Redis is sure to have the script: what is sent right behind a call of it is done after it. */
export function isLoaded(redis: Redis, name: string): boolean {
  return redis.status === 'ready' && calledOn(redis).has(name);
}

/** Runs `lua/NAME.lua`. Redis has it by its hash after the first time. */
export async function call(
  redis: Redis,
  name: string,
  keys: readonly string[],
  args: readonly Argument[],
): Promise<unknown> {
  const { sha, text } = load(name);
  const names = calledOn(redis);
  try {
    const reply = await redis.evalsha(sha, keys.length, ...keys, ...args);
    names.add(name);
    return reply;
  } catch (error) {
    names.delete(name);
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    const reply = await redis.eval(text, keys.length, ...keys, ...args);
    names.add(name);
    return reply;
  }
}

/** A reply that must be a list. */
export function list(reply: unknown): unknown[] {
  if (!Array.isArray(reply)) throw new TypeError(`a script replied ${JSON.stringify(reply)}`);
  return reply;
}

/** Scripts that reply a word for a refusal reply a list else. */
export function wrap(reply: unknown): unknown {
  return Array.isArray(reply) ? reply : [reply];
}
