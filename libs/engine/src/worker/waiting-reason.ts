import type { LabelRule, WorkerView } from '@lattice/contracts';
import type { ResourceClass } from '@lattice/flow';
import { pickGpus } from './gpus/allocate';
import { needsGpu } from './gpus/worker-gpus';
import { meetsRules } from './labels';

/**
 * Why no worker can take tasks of a class, in words for people; undefined when one could (it is busy, or will come to it).
 * Names what is asked for and what there is.
 */
export function waitingReason(entry: ResourceClass, workers: readonly WorkerView[]): string | undefined {
  const online = workers.filter(({ status }) => status === 'online');
  if (online.length === 0) return nobody(workers);
  const faults = [
    handlerFault(entry, online),
    batchFault(entry, online),
    scriptFault(entry, online),
    ...ruleFaults(entry, online),
    ...needFaults(entry, online),
  ].filter((fault) => fault !== undefined);
  if (faults.length > 0) return faults.join('; ');
  if (online.some((worker) => serves(entry, worker))) return undefined;
  return `no worker has all of it together: ${askedOf(entry).join(', ')}`;
}

function nobody(workers: readonly WorkerView[]): string {
  if (workers.length === 0) return 'no worker is there';
  const states = [...counts(workers.map(({ status }) => status))].map(([status, count]) => `${count} ${status}`);
  return `no worker takes tasks: ${states.join(', ')}`;
}

function serves(entry: ResourceClass, worker: WorkerView): boolean {
  return [
    handlerFault(entry, [worker]),
    batchFault(entry, [worker]),
    scriptFault(entry, [worker]),
    ...ruleFaults(entry, [worker]),
    ...needFaults(entry, [worker]),
  ].every((fault) => fault === undefined);
}

function handlerFault({ handler }: ResourceClass, workers: readonly WorkerView[]): string | undefined {
  if (handler === undefined || workers.some(({ handlers }) => handlers.includes(handler))) return undefined;
  return `no worker has the handler "${handler}"; start one whose LATTICE_HANDLERS has it`;
}

/** Workers that have the handler, but none of them does batches. */
function batchFault({ handler, batch }: ResourceClass, workers: readonly WorkerView[]): string | undefined {
  if (handler === undefined || batch === undefined) return undefined;
  const able = workers.filter(({ handlers }) => handlers.includes(handler));
  if (able.length === 0 || able.some(({ outside }) => !outside)) return undefined;
  return `only workers of the SDK have the handler "${handler}", and they do no batches; start one whose LATTICE_HANDLERS has it, or leave out batch`;
}

function scriptFault({ uses }: ResourceClass, workers: readonly WorkerView[]): string | undefined {
  if (uses !== 'script' || workers.some(({ scripts }) => scripts)) return undefined;
  return 'no worker has a folder of scripts; start one with LATTICE_SCRIPTS';
}

function ruleFaults({ rules }: ResourceClass, workers: readonly WorkerView[]): (string | undefined)[] {
  return Object.entries(rules).map(([label, rule]) => {
    if (workers.some(({ labels }) => meetsRules({ [label]: rule }, labels))) return undefined;
    const values = workers.flatMap(({ labels }) => (Object.hasOwn(labels, label) ? [String(labels[label])] : []));
    return `no worker has ${ruleText(label, rule)}; ${thereIs(values, workers.length)}`;
  });
}

/** What the workers have in the place of what is asked for. */
function thereIs(values: readonly string[], workers: number): string {
  if (values.length === 0) return `${plural(workers, 'online worker')} without that label`;
  return [...counts(values)]
    .map(([value, count], index) => {
      const who = index === 0 ? plural(count, 'online worker') : String(count);
      return `${who} ${count === 1 ? 'has' : 'have'} ${value}`;
    })
    .join(', ');
}

function needFaults({ need }: ResourceClass, workers: readonly WorkerView[]): (string | undefined)[] {
  const most = (pick: (worker: WorkerView) => number): number => Math.max(0, ...workers.map(pick));
  const lacks = (asked: number, there: number, text: (value: number) => string): string | undefined =>
    asked <= there ? undefined : `no worker has ${text(asked)}; the most is ${text(there)}`;
  const gpus = most((worker) => worker.gpus.filter(({ healthy }) => healthy).length);
  return [
    lacks(
      need.cpu,
      most(({ resources }) => resources.cpu),
      (value) => plural(value, 'CPU'),
    ),
    lacks(
      need.memory,
      most(({ resources }) => resources.memory),
      (value) => `${mebibytes(value)} of memory`,
    ),
    need.gpu > gpus ? `no worker has ${plural(need.gpu, 'GPU')}; the most is ${gpusThere(gpus, workers)}` : undefined,
    ...(need.gpu <= gpus && needsGpu(need) ? [gpuFault(need, workers)] : []),
  ];
}

function gpusThere(healthy: number, workers: readonly WorkerView[]): string {
  const ill = workers.flatMap((worker) => worker.gpus.filter((gpu) => !gpu.healthy)).length;
  return ill === 0
    ? plural(healthy, 'GPU')
    : `${plural(healthy, 'GPU')} that work, and ${ill} that nvidia-smi calls faulty`;
}

/** There are enough GPUs, but none may have the memory. */
function gpuFault(need: ResourceClass['need'], workers: readonly WorkerView[]): string | undefined {
  if (workers.some(({ gpus }) => pickGpus(need, gpus, []) !== undefined)) return undefined;
  const most = Math.max(0, ...workers.flatMap(({ gpus }) => gpus.map(({ memory }) => memory)));
  return `no worker has a GPU with ${mebibytes(need.gpuMemory)}; the most is ${mebibytes(most)}`;
}

function askedOf({ uses, handler, batch, rules, need }: ResourceClass): string[] {
  return [
    ...(uses === 'script' ? ['a folder of scripts'] : []),
    ...(handler === undefined ? [] : [`handler ${handler}`]),
    ...(batch === undefined ? [] : ['in batches']),
    ...Object.entries(rules).map(([label, rule]) => ruleText(label, rule)),
    ...(need.cpu > 0 ? [plural(need.cpu, 'CPU')] : []),
    ...(need.memory > 0 ? [`${mebibytes(need.memory)} of memory`] : []),
    ...(need.gpu > 0 ? [plural(need.gpu, 'GPU')] : []),
    ...(need.gpuMemory > 0 ? [`${mebibytes(need.gpuMemory)} of GPU memory`] : []),
  ];
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
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
