import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Pool } from 'pg';

/** Clock ticks of /proc/PID/stat a second, on every Linux there is. */
const TICKS = 100;

export const PARTS = ['api', 'scheduler', 'worker', 'redis', 'postgres'] as const;
export type Part = (typeof PARTS)[number];

/** What happened while something was measured. */
export interface Usage {
  readonly wallMs: number;
  /** Milliseconds of CPU of each process; Postgres with all its backends. */
  readonly cpuMs: Readonly<Record<Part, number>>;
  /** Calls of Redis, those within scripts included. */
  readonly redisCalls: number;
  /** Calls that clients made: scripts count once. */
  readonly redisCommands: Readonly<Record<string, number>>;
  readonly transactions: number;
  readonly rowsWritten: number;
}

interface Counters {
  readonly at: number;
  readonly cpu: Record<Part, number>;
  readonly redis: Map<string, number>;
  readonly transactions: number;
  readonly rows: number;
}

/** Reads what the processes of a platform have used. Where there is no /proc, CPU times are 0. */
export class Meter {
  constructor(private readonly on: { readonly home: string; readonly redis: Redis; readonly pool: Pool }) {}

  /** Runs `work` and tells what was used meanwhile. */
  async during(work: () => Promise<void>): Promise<Usage> {
    const before = await this.read();
    await work();
    return difference(before, await this.read());
  }

  /** Bytes of memory in use by a process. */
  residentBytes(part: Part): number {
    const status = read(`/proc/${this.pidOf(part)}/status`);
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1_024;
  }

  private async read(): Promise<Counters> {
    const { redis, pool } = this.on;
    const stats = await redis.info('commandstats');
    const { rows } = await pool.query<{ transactions: string; rows: string }>(
      `select xact_commit + xact_rollback as transactions, tup_inserted + tup_updated + tup_deleted as rows
       from pg_stat_database where datname = current_database()`,
    );
    return {
      at: performance.now(),
      cpu: this.cpu(),
      redis: new Map(
        [...stats.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].map(([, name, calls]) => [name ?? '', Number(calls)]),
      ),
      transactions: Number(rows[0]?.transactions ?? 0),
      rows: Number(rows[0]?.rows ?? 0),
    };
  }

  private cpu(): Record<Part, number> {
    const parents = parentsOfAll();
    const of = (part: Part): number => {
      const pid = this.pidOf(part);
      const own = cpuOf(pid);
      if (part !== 'postgres') return own;
      return own + [...parents].filter(([, parent]) => parent === pid).reduce((sum, [child]) => sum + cpuOf(child), 0);
    };
    return {
      api: of('api'),
      scheduler: of('scheduler'),
      worker: of('worker'),
      redis: of('redis'),
      postgres: of('postgres'),
    };
  }

  /** The process of a part. */
  pidOf(part: Part): number {
    return Number(read(join(this.on.home, 'run', `${part}.pid`)).trim());
  }
}

/** Commands that only scripts send are counted apart from those of clients, as far as their names tell. */
const CLIENTS = new Set([
  'evalsha',
  'eval',
  'publish',
  'xread',
  'xtrim',
  'unlink',
  'get',
  'multi',
  'exec',
  'hmget',
  'hset',
  'hgetall',
  'time',
]);

function difference(before: Counters, after: Counters): Usage {
  const calls = [...after.redis].map(([name, count]) => [name, count - (before.redis.get(name) ?? 0)] as const);
  const cpu = (part: Part): number => Math.round(after.cpu[part] - before.cpu[part]);
  return {
    wallMs: Math.round(after.at - before.at),
    cpuMs: {
      api: cpu('api'),
      scheduler: cpu('scheduler'),
      worker: cpu('worker'),
      redis: cpu('redis'),
      postgres: cpu('postgres'),
    },
    redisCalls: calls.reduce((sum, [, count]) => sum + count, 0),
    redisCommands: Object.fromEntries(calls.filter(([name, count]) => count > 0 && CLIENTS.has(name))),
    transactions: after.transactions - before.transactions,
    rowsWritten: after.rows - before.rows,
  };
}

/** Milliseconds of CPU that a process has used, user and system time, with those of its children that have ended. */
export function cpuOf(pid: number): number {
  const fields = fieldsOf(pid);
  return (fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS) * 1_000;
}

function parentsOfAll(): Map<number, number> {
  const pids = list('/proc').filter((name) => /^\d+$/.test(name));
  return new Map(pids.map((pid) => [Number(pid), Number(fieldsOf(Number(pid))[1])]));
}

/** Fields of /proc/PID/stat behind the name: state, parent, ... */
function fieldsOf(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
