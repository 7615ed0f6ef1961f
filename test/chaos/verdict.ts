import { isDeepStrictEqual } from 'node:util';
import { type RunEvent } from '@lattice/contracts';
import { openQueue } from '@lattice/queue';
import { z } from 'zod';
import { eventually } from '../support/eventually';
import { faultsOfHistory } from '../support/history';
import { leftovers } from '../support/leftovers';
import type { Acknowledged } from './client';
import { readLedger, type Execution } from './ledger';
import type { Kill, World } from './world';

/** What a scenario expects beside what always holds. */
export interface Expected {
  /** At least so many runs must have ended right. */
  readonly runs: number;
  /** At least so many second executions: without any, nothing was tested. */
  readonly seconds?: number;
  /** Milliseconds within which what a killed worker had is with another. */
  readonly recoveryMs?: number;
  /** Milliseconds that the runs have to end. */
  readonly endMs?: number;
  /** Complaints in the logs that belong to the scenario. */
  readonly complaints?: readonly RegExp[];
  /** Apps may fail to start, for their services are away. */
  readonly startsMayFail?: boolean;
  /** Further faults, asked for when the runs have ended. */
  readonly faults?: () => Promise<readonly string[]>;
}

/** What came of a scenario. */
export interface Report {
  readonly runs: number;
  readonly kills: number;
  readonly attempts: number;
  readonly seconds: number;
  /** How many second executions each reason has. */
  readonly reasons: ReadonlyMap<string, number>;
  /** Milliseconds; undefined when no worker with work was lost. */
  readonly longestRecovery: number | undefined;
  readonly faults: readonly string[];
}

const CONCURRENCY = 8;
/** No recovery may take longer. */
const RECOVERY_MS = 20_000;

/** Waits for the end of all runs and examines everything there is: answers, history, ledger, logs, Redis, processes. */
export async function judge(world: World, runs: readonly Acknowledged[], expected: Expected): Promise<Report> {
  const faults: string[] = [];
  await untilEnded(world, runs, expected.endMs ?? 120_000).catch((error: Error) => faults.push(error.message));
  faults.push(...((await expected.faults?.()) ?? []));
  const events = await readEvents(world);
  const right = await inParallel(runs, (run) => faultsOfRun(world, run, events.get(run.runId) ?? []));
  faults.push(...right.flat(), ...world.client.faults);
  const ended = right.filter((found) => found.length === 0).length;
  if (ended < expected.runs) faults.push(`${ended} runs ended right, at least ${expected.runs} should have`);
  const ledger = readLedger(world.ledger);
  const seconds = secondsOf(ledger, events, faults);
  if (seconds.length < (expected.seconds ?? 0))
    faults.push(`${seconds.length} second executions, at least ${expected.seconds} were to be provoked`);
  const recoveries = recoveriesOf(events, world.kills);
  const longestRecovery = recoveries.length === 0 ? undefined : Math.max(...recoveries.map(({ ms }) => ms));
  for (const { ms, what } of recoveries)
    if (ms > (expected.recoveryMs ?? RECOVERY_MS)) faults.push(`${what} was with another worker after ${ms} ms only`);
  faults.push(...(await leftInRedis(world, runs)));
  await world.stopApps();
  faults.push(...(await world.leftProcesses()).map((process) => `still runs: ${process}`));
  faults.push(...unexplained(world, expected));
  const reasons = new Map<string, number>();
  for (const reason of seconds) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return {
    runs: ended,
    kills: world.kills.length,
    attempts: ledger.length,
    seconds: seconds.length,
    reasons,
    longestRecovery,
    faults,
  };
}

async function untilEnded(world: World, runs: readonly Acknowledged[], limitMs: number): Promise<void> {
  const ids = runs.map(({ runId }) => runId);
  let left: unknown[] = [];
  await eventually(
    'all runs have ended',
    async () => {
      const sql = `select id, status from runs where id = any ($1) and status not in ('completed', 'failed', 'cancelled')`;
      left = (await world.pg.query(sql, [ids])).rows;
      return left.length === 0 ? true : undefined;
    },
    limitMs,
  ).catch(() => {
    throw new Error(
      `${left.length} runs have not ended ${limitMs} ms after the last disturbance: ${JSON.stringify(left.slice(0, 5))}`,
    );
  });
}

const rowSchema = z.object({
  id: z.string(),
  run_id: z.string(),
  task_key: z.string().nullable(),
  attempt: z.number().nullable(),
  type: z.string(),
  at: z.date(),
  data: z.record(z.string(), z.unknown()),
});

/** All history, by run, in order. */
async function readEvents(world: World): Promise<Map<string, RunEvent[]>> {
  const { rows } = await world.pg.query('select id, run_id, task_key, attempt, type, at, data from events order by id');
  const byRun = new Map<string, RunEvent[]>();
  for (const row of rows) {
    const { id, run_id, task_key, attempt, type, at, data } = rowSchema.parse(row);
    const event = { id, type, runId: run_id, taskKey: task_key, attempt, at: at.toISOString(), data };
    const list = byRun.get(run_id);
    if (list === undefined) byRun.set(run_id, [event]);
    else list.push(event);
  }
  return byRun;
}

async function faultsOfRun(world: World, run: Acknowledged, events: readonly RunEvent[]): Promise<string[]> {
  const view = await world.client.read(run.runId);
  const faults = faultsOfHistory(view, events);
  if (typeof run.expected === 'string') {
    if (view.status !== 'failed' || view.error?.code !== run.expected)
      faults.push(`${view.status} (${view.error?.code ?? 'no error'}), not failed with ${run.expected}`);
  } else if (view.status !== 'completed') faults.push(`${view.status}: ${JSON.stringify(view.error)}`);
  else if (!isDeepStrictEqual(view.outputs, run.expected))
    faults.push(`outputs ${JSON.stringify(view.outputs).slice(0, 200)}, not ${JSON.stringify(run.expected)}`);
  return faults.map((fault) => `run ${run.runId}: ${fault}`);
}

/**
 * The reasons of all executions after the first one of a task, as history gives them. Faults: an attempt that was executed
 * twice, one that history does not know, one without a reason, one of a task that history had as ended.
 */
function secondsOf(ledger: readonly Execution[], events: ReadonlyMap<string, RunEvent[]>, faults: string[]): string[] {
  const byTask = new Map<string, Execution[]>();
  for (const entry of ledger) {
    const name = `${entry.runId} ${entry.task}`;
    byTask.set(name, [...(byTask.get(name) ?? []), entry]);
  }
  const reasons: string[] = [];
  for (const [name, executions] of byTask) {
    const history = events.get(executions[0]?.runId ?? '') ?? [];
    const own = history.filter(({ taskKey }) => taskKey === executions[0]?.task);
    const say = (fault: string): void => {
      const shown = executions.map(({ epoch, attempt, at }) => `${epoch}.${attempt}@${at}`).join(' ');
      const told = own.map(({ type, attempt, at }) => `${type}#${attempt}@${Date.parse(at)}`).join(' ');
      faults.push(`task ${name}: ${fault} (ledger ${shown}; history ${told})`);
    };
    const tokens = executions.map(({ epoch, attempt }) => `${epoch}.${attempt}`);
    if (new Set(tokens).size !== tokens.length) say('an attempt was executed twice');
    const completed = own.find(({ type }) => type === 'task.completed');
    const last = executions.toSorted((a, b) => a.epoch - b.epoch || a.attempt - b.attempt).at(-1);
    if (completed !== undefined && last?.attempt !== completed.attempt)
      say('the last attempt is not the one that completed');
    // An earlier attempt may be at its end only now: it can't be told apart by its time. A newer one may not be.
    if (completed !== undefined && last !== undefined && last.at > Date.parse(completed.at) + 1)
      say('it was executed after it had completed');
    for (const execution of executions) {
      if (execution.epoch === 1 && execution.attempt === 1) continue;
      const reason = reasonOf(execution, history, own);
      if (reason === undefined) say(`attempt ${execution.epoch}.${execution.attempt} has no reason`);
      else reasons.push(reason);
    }
  }
  return reasons;
}

/** Why this execution was not the only one of its task. */
function reasonOf(
  { attempt, epoch }: Execution,
  history: readonly RunEvent[],
  own: readonly RunEvent[],
): string | undefined {
  const retry = own.find((event) => event.type === 'task.retrying' && event.attempt === attempt - 1);
  if (retry !== undefined) return codeOf(retry);
  const recovered = history.filter(({ type }) => type === 'run.recovered');
  if (epoch === 1 || recovered.length === 0) return undefined;
  const reason = recovered.at(-1)?.data['reason'];
  return typeof reason === 'string' ? reason : 'run.recovered';
}

function codeOf({ data }: RunEvent): string {
  const parsed = z.object({ error: z.object({ code: z.string() }) }).safeParse(data);
  return parsed.success ? parsed.data.error.code : 'task.retrying';
}

/** So long after a kill, at the earliest, another worker has what the dead one had: leases are renewed every 5 s. */
const LEASE_MS = 9_000;

/**
 * From the kill of a worker to the next attempt of each task that it had. A worker that took the job and was killed before it
 * began the task has no event: when one was killed meanwhile, and the time from the first kill is too long, its kill counts.
 */
function recoveriesOf(events: ReadonlyMap<string, RunEvent[]>, kills: readonly Kill[]): { ms: number; what: string }[] {
  const killedAt = new Map(kills.map(({ workerId, at }) => [workerId, at]));
  const ofWorkers = kills.filter(({ name }) => name.startsWith('worker')).map(({ at }) => at);
  return [...events.values()].flatMap((history) =>
    history.flatMap((event, index) => {
      const lost = killedAt.get(String(event.data['workerId']));
      if (event.type !== 'task.started' || lost === undefined) return [];
      const next = history.slice(index + 1).find(({ taskKey }) => taskKey === event.taskKey);
      if (next?.type !== 'task.retrying') return [];
      const end = Date.parse(next.at);
      const again = ofWorkers.find((at) => at > lost + LEASE_MS && at < end && end - at <= RECOVERY_MS);
      const from = end - lost > RECOVERY_MS && again !== undefined ? again : lost;
      return [{ ms: end - from, what: `task ${event.taskKey} of run ${event.runId}` }];
    }),
  );
}

async function leftInRedis(world: World, runs: readonly Acknowledged[]): Promise<string[]> {
  const { redisUrl } = world.services;
  const queue = await openQueue({ redisUrl, prefix: '{lattice:0}', name: 'chaos', onError: () => undefined });
  const ids = runs.map(({ runId }) => runId);
  let left: string[] = [];
  try {
    await eventually(
      'Redis is rid of all runs',
      async () => {
        left = await leftovers(queue, ids);
        return left.length === 0 ? true : undefined;
      },
      45_000,
    );
    return [];
  } catch {
    return left.map((one) => `in Redis: ${one}`);
  } finally {
    await queue.close();
  }
}

function unexplained(world: World, { complaints = [], startsMayFail = false }: Expected): string[] {
  const allowed = startsMayFail ? [...complaints, /could not start/] : complaints;
  const lines = world.complaints().filter((line) => !allowed.some((pattern) => pattern.test(line)));
  const deaths = world.deaths.filter(({ lastWords }) => !startsMayFail || !lastWords.includes('could not start'));
  return [
    ...deaths.map(({ name, how, lastWords }) => `${name} ended by itself (${how}): ${lastWords.slice(-300)}`),
    ...lines.map((line) => `unexplained in ${line.slice(0, 600)}`),
  ];
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (;;) {
      const index = next;
      next += 1;
      const item = items[index];
      if (item === undefined) return;
      results[index] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  return results;
}
