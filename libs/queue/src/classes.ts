import type { ResourceClass } from '@lattice/flow';
import { PLACES, labelRuleSchema } from '@lattice/contracts';
import { z } from 'zod';
import type { QueueConnection } from './connection';

const rules = z.record(z.string(), labelRuleSchema);
const classSchema = z.object({
  name: z.string(),
  uses: z.enum(['code', 'container', 'script', 'http', 'handler', 'control']),
  handler: z.string().optional(),
  need: z.object({ cpu: z.number(), memory: z.number(), gpu: z.number(), gpuMemory: z.number() }),
  rules,
  prefer: z.object({ rules: z.array(z.object({ runsOn: rules, weight: z.number() })), waitMs: z.number() }).optional(),
  place: z.enum(PLACES).optional(),
  batch: z.object({ size: z.number(), timeoutMs: z.number() }).optional(),
});

/**
 * What was announced is announced again after so long: another process may have found Redis emptied and filled it again, and
 * a worker that starts then would never hear of a class.
 */
const AGAIN_MS = 30_000;

const known = new WeakMap<QueueConnection, { names: Set<string>; since: number }>();

/** Makes resource classes known to all workers. Each is written once per process and half minute. */
export async function announceClasses(queue: QueueConnection, classes: readonly ResourceClass[]): Promise<void> {
  const before = known.get(queue);
  const now = Date.now();
  const entry =
    before !== undefined && now - before.since < AGAIN_MS ? before : { names: new Set<string>(), since: now };
  known.set(queue, entry);
  const seen = entry.names;
  const fresh = classes.filter(({ name }) => !seen.has(name));
  if (fresh.length === 0) return;
  const { redis, keys } = queue;
  await Promise.all([
    redis.hset(keys.classes, Object.fromEntries(fresh.map((each) => [each.name, JSON.stringify(each)]))),
    redis.zadd(keys.announced, ...fresh.flatMap((each) => [now, each.name])),
  ]);
  for (const { name } of fresh) seen.add(name);
}

/** Redis lost what was announced: everything is announced again when it is next used. */
export function forgetClasses(queue: QueueConnection): void {
  known.delete(queue);
}

/** Names of all classes that are announced, also of those that this version can't read. */
export async function classNames(queue: QueueConnection): Promise<string[]> {
  return queue.redis.hkeys(queue.keys.classes);
}

/** All classes that are announced, but for those of a newer version that this one can't read. */
export async function readClasses(queue: QueueConnection): Promise<ResourceClass[]> {
  const values = await queue.redis.hvals(queue.keys.classes);
  return values.flatMap((text) => {
    const parsed = classSchema.safeParse(JSON.parse(text));
    if (!parsed.success) return [];
    const { handler, prefer, place, batch, ...rest } = parsed.data;
    return [
      {
        ...rest,
        ...(handler === undefined ? {} : { handler }),
        ...(prefer === undefined ? {} : { prefer }),
        ...(place === undefined ? {} : { place }),
        ...(batch === undefined ? {} : { batch }),
      },
    ];
  });
}
