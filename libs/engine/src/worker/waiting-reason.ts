import type { LabelRule, WorkerView } from '@lattice/contracts';
import type { ResourceClass } from '@lattice/flow';
import { meetsRules } from './labels';

/**
 * Why no worker can take tasks of a class, in words for people; undefined when one could (it is busy, or will come to it).
 * Names what is asked for and what there is.
 */
export function waitingReason(entry: ResourceClass, workers: readonly WorkerView[]): string | undefined {
  if (entry.uses === 'control') return undefined;
  const online = workers.filter(({ status }) => status === 'online');
  if (online.length === 0)
    return workers.length === 0 ? 'no worker is there' : `no worker is online (${workers.length} known)`;
  const faults = [handlerFault(entry, online), ...ruleFaults(entry, online), ...needFaults(entry, online)].filter(
    (fault) => fault !== undefined,
  );
  if (faults.length > 0) return faults.join('; ');
  if (online.some((worker) => serves(entry, worker))) return undefined;
  return `no online worker has all of it together: ${askedOf(entry).join(', ')}`;
}

function serves(entry: ResourceClass, worker: WorkerView): boolean {
  return [handlerFault(entry, [worker]), ...ruleFaults(entry, [worker]), ...needFaults(entry, [worker])].every(
    (fault) => fault === undefined,
  );
}

function handlerFault({ handler }: ResourceClass, workers: readonly WorkerView[]): string | undefined {
  if (handler === undefined || workers.some(({ handlers }) => handlers.includes(handler))) return undefined;
  return `no online worker has the handler "${handler}"; start one whose LATTICE_HANDLERS has it`;
}

function ruleFaults({ rules }: ResourceClass, workers: readonly WorkerView[]): (string | undefined)[] {
  return Object.entries(rules).map(([label, rule]) => {
    if (workers.some(({ labels }) => meetsRules({ [label]: rule }, labels))) return undefined;
    const values = workers.flatMap(({ labels }) => (Object.hasOwn(labels, label) ? [String(labels[label])] : []));
    const there =
      values.length === 0
        ? 'none has that label'
        : [...counts(values)].map(([value, count]) => `${count} with ${value}`).join(', ');
    return `no online worker has ${ruleText(label, rule)}; ${plural(workers.length, 'online worker')}: ${there}`;
  });
}

function needFaults({ need }: ResourceClass, workers: readonly WorkerView[]): (string | undefined)[] {
  const most = (pick: (worker: WorkerView) => number): number => Math.max(0, ...workers.map(pick));
  const lacks = (asked: number, there: number, text: (value: number) => string): string | undefined =>
    asked <= there ? undefined : `no online worker has ${text(asked)}; the most is ${text(there)}`;
  return [
    lacks(
      need.cpu,
      most(({ resources }) => resources.cpu),
      (value) => plural(value, 'CPU'),
    ),
    lacks(
      need.memory,
      most(({ resources }) => resources.memory),
      (value) => `${Math.round(value / 2 ** 20)} MiB of memory`,
    ),
    lacks(
      need.gpu,
      most(({ resources }) => resources.gpu),
      (value) => plural(value, 'GPU'),
    ),
  ];
}

function askedOf({ handler, rules, need }: ResourceClass): string[] {
  return [
    ...(handler === undefined ? [] : [`handler ${handler}`]),
    ...Object.entries(rules).map(([label, rule]) => ruleText(label, rule)),
    ...(need.cpu > 0 ? [plural(need.cpu, 'CPU')] : []),
    ...(need.memory > 0 ? [`${Math.round(need.memory / 2 ** 20)} MiB of memory`] : []),
    ...(need.gpu > 0 ? [plural(need.gpu, 'GPU')] : []),
  ];
}

function ruleText(label: string, rule: LabelRule): string {
  if (typeof rule !== 'object') return `${label}=${rule}`;
  return Object.entries(rule)
    .map(([operator, value]) =>
      Array.isArray(value) ? `${label} in [${value.join(', ')}]` : `${label}${operator}${String(value)}`,
    )
    .join(' and ');
}

function counts(values: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1);
  return found;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
