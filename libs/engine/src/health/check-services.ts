import type { Engine } from '../context';

/** A service that needs longer than this, in milliseconds, counts as not answering. */
const LIMIT_MS = 2_000;

export interface ServiceHealth {
  readonly service: 'redis' | 'postgres';
  readonly ok: boolean;
  /** Milliseconds that the answer took. */
  readonly took: number;
}

/** Asks Redis and Postgres a real question each, with a limit. Never rejects. */
export async function checkServices(engine: Engine): Promise<ServiceHealth[]> {
  return Promise.all([
    check(engine, 'redis', () => engine.queue.ping(LIMIT_MS)),
    check(engine, 'postgres', () => engine.db.query('select 1')),
  ]);
}

async function check(
  engine: Engine,
  service: ServiceHealth['service'],
  ask: () => Promise<unknown>,
): Promise<ServiceHealth> {
  const start = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${LIMIT_MS} ms`)), LIMIT_MS);
  });
  const answer = ask();
  try {
    await Promise.race([answer, limit]);
    return { service, ok: true, took: Math.round(performance.now() - start) };
  } catch (error) {
    // When the limit won, the question may still fail later, with nobody listening.
    answer.catch(() => undefined);
    engine.log.warn({ err: error, service }, 'a service does not answer');
    return { service, ok: false, took: Math.round(performance.now() - start) };
  } finally {
    clearTimeout(timer);
  }
}
