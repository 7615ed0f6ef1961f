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

/** Runs `lua/NAME.lua`. Redis has it by its hash after the first time. */
export async function call(
  redis: Redis,
  name: string,
  keys: readonly string[],
  args: readonly Argument[],
): Promise<unknown> {
  const { sha, text } = load(name);
  try {
    return await redis.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return redis.eval(text, keys.length, ...keys, ...args);
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
