import type { LimiterQuestion, LimiterState, Obstacle, RunLimiters, WaitingRun } from '@lattice/persistence';

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** What becomes of runs that waited: those that may start, and those that now wait on another limiter. */
export interface Decided {
  readonly admitted: string[];
  readonly moved: { readonly runId: string; readonly to: Obstacle }[];
  /** By the name of a rate that is used up: milliseconds until one more may start. */
  readonly opens: Map<string, number>;
}

/**
 * Lets in what the limiters have room for. `runs` come in the order in which they are let in; one that is held back by a limiter
 * takes nothing of the others, so that runs behind it may go on. Pure.
 */
export function decideAdmission(runs: readonly WaitingRun[], states: ReadonlyMap<string, LimiterState>): Decided {
  const used = new Map([...states].map(([name, state]) => [name, state.used]));
  const decided: Decided = { admitted: [], moved: [], opens: new Map() };
  for (const { runId, waitingOn, limiters } of runs) {
    const questions = limitersIn(limiters).filter(({ kind }) => !isReserved(limiters, kind));
    const full = questions.find(({ name, limit }) => (used.get(name) ?? 0) >= limit);
    if (full === undefined) {
      for (const { name } of questions) used.set(name, (used.get(name) ?? 0) + 1);
      decided.admitted.push(runId);
      continue;
    }
    if (full.name !== waitingOn) decided.moved.push({ runId, to: obstacleOf(full) });
    // A rate that this very round has used up opens when its window has passed.
    const opensMs = states.get(full.name)?.opensMs ?? full.perMs ?? 0;
    if (full.kind === 'rate') decided.opens.set(full.name, opensMs);
  }
  return decided;
}

/** The limiters of a run, in the order in which it comes to them. */
export function limitersIn({ concurrency, rate, fair }: RunLimiters): LimiterQuestion[] {
  return [
    ...(concurrency === undefined ? [] : [{ ...concurrency, kind: 'concurrency' as const }]),
    ...(rate === undefined ? [] : [{ ...rate, kind: 'rate' as const }]),
    ...(fair === undefined ? [] : [{ ...fair, kind: 'fair' as const }]),
  ];
}

/** A run of the policy `reject` has had its place since it was submitted. */
function isReserved({ concurrency }: RunLimiters, kind: LimiterQuestion['kind']): boolean {
  return kind === 'concurrency' && concurrency?.policy === 'reject';
}

/** What a run that waits on the limiter is told. */
export function obstacleOf({ name, kind, limit, perMs }: LimiterQuestion): Obstacle {
  const key = name.split(':').slice(2).join(':');
  const whose = key === '' ? 'of this workflow' : `of this workflow with the key "${key}"`;
  switch (kind) {
    case 'concurrency':
      return { name, reason: `waits: at most ${plural(limit, 'run')} ${whose} may be active at once` };
    case 'rate':
      return {
        name,
        reason: `waits: at most ${plural(limit, 'run')} ${whose} may start in ${durationText(perMs ?? 0)}`,
      };
    case 'fair':
      return { name, reason: `waits: ${plural(limit, 'run')} ${whose} are before it at the workers` };
  }
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

function durationText(ms: number): string {
  const [unit, size] = UNITS.find(([, each]) => ms >= each && ms % each === 0) ?? UNITS[3];
  return `${ms / size}${unit}`;
}
