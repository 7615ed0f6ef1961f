import {
  limiterStates,
  lockLimiters,
  peekAdmissions,
  replaceOlder,
  takeAdmissions,
  writeAdmissions,
  type LimiterQuestion,
  type PeekedRun,
  type WaitingRun,
} from '@lattice/persistence';
import type { Engine } from '../context';
import { decideAdmission, limitersIn, type Decided } from './decide-admission';

/** Limiters that are looked at together, and runs that are looked at before each. */
const LIMITERS = 100;
const RUNS = 20;
/** Starts are counted a little longer than the span asked for: a run starts a moment after it is let in. Milliseconds. */
const MOST_SLACK_MS = 250;

/** What a service let in, and when rates that are used up open again. */
export interface Served {
  readonly admitted: Set<string>;
  /** Milliseconds from now, by the name of the limiter. */
  readonly opens: Map<string, number>;
}

/**
 * Lets in the next runs of some limiters, as many as there is room for. It is decided under locks of all their limiters, in one
 * transaction: whoever does this at the same time waits, and no limit is passed. Runs in `own` are sent by the caller; for
 * others an outbox row is written.
 */
export async function serveLimiters(
  engine: Engine,
  limiters: readonly string[],
  own: ReadonlySet<string> = new Set(),
): Promise<Served> {
  const served: Served = { admitted: new Set(), opens: new Map() };
  for (let todo = [...new Set(limiters)]; todo.length > 0;) {
    const page = todo.slice(0, LIMITERS);
    const peeked = await peekAdmissions(engine.db, page, RUNS);
    const decided = peeked.length === 0 ? undefined : await decideRound(engine, peeked, own);
    for (const runId of decided?.admitted ?? []) served.admitted.add(runId);
    for (const [name, ms] of decided?.opens ?? []) served.opens.set(name, ms);
    todo = [...page.filter((name) => hasMore(name, peeked, decided)), ...todo.slice(LIMITERS)];
  }
  return served;
}

/** True when there may be more before a limiter: all that were looked at are let in, or wait elsewhere by now. */
function hasMore(name: string, peeked: readonly PeekedRun[], decided: Decided | undefined): boolean {
  const before = peeked.filter(({ waitingOn }) => waitingOn === name);
  if (before.length < RUNS || decided === undefined) return false;
  const gone = new Set([...decided.admitted, ...decided.moved.map(({ runId }) => runId)]);
  return before.every(({ runId }) => gone.has(runId));
}

async function decideRound(
  engine: Engine,
  peeked: readonly PeekedRun[],
  own: ReadonlySet<string>,
): Promise<Decided | undefined> {
  return engine.db.transaction(async (session) => {
    await lockLimiters(session, [...new Set(peeked.flatMap(({ limiters }) => limiters))]);
    const ids = peeked.map(({ runId }) => runId);
    let runs = await takeAdmissions(session, ids);
    const replacing = runs.flatMap(({ limiters: { concurrency } }) =>
      concurrency?.policy === 'cancel-running' ? [concurrency] : [],
    );
    if (replacing.length > 0) {
      await replaceOlder(session, [...new Map(replacing.map((each) => [each.name, each])).values()]);
      // Some of the runs may be among those that were replaced.
      runs = await takeAdmissions(session, ids);
    }
    const decided = decideAdmission(runs, await limiterStates(session, questionsOf(runs)));
    const { admitted, moved } = decided;
    if (admitted.length > 0 || moved.length > 0)
      await writeAdmissions(session, { admitted, own: admitted.filter((runId) => own.has(runId)), moved });
    return decided;
  });
}

/** Each limiter once; of versions with different limits the largest tells when a rate opens. */
function questionsOf(runs: readonly WaitingRun[]): LimiterQuestion[] {
  const questions = new Map<string, LimiterQuestion>();
  for (const question of runs.flatMap(({ limiters }) => limitersIn(limiters))) {
    const known = questions.get(question.name);
    if (known === undefined || known.limit < question.limit) questions.set(question.name, question);
  }
  return [...questions.values()].map((question) => {
    const { perMs } = question;
    return perMs === undefined
      ? question
      : { ...question, perMs: perMs + Math.min(MOST_SLACK_MS, Math.ceil(perMs / 10)) };
  });
}
