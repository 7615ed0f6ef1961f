import type { WorkerView } from '@lattice/contracts';
import type { ResourceClass } from '@lattice/flow';
import { waitingReason } from './waiting-reason';

const worker = (change: Partial<WorkerView>): WorkerView => ({
  workerId: 'w',
  status: 'online',
  reason: null,
  host: 'h',
  pid: 1,
  labels: {},
  handlers: [],
  scripts: false,
  outside: false,
  resources: { cpu: 4, memory: 8 * 2 ** 30, gpu: 0, gpuMemory: 0 },
  free: { cpu: 4, memory: 8 * 2 ** 30, gpu: 0, slots: 100 },
  gpus: [],
  batches: [],
  versions: { lattice: '0', node: '20', driver: null },
  load: { cpu: 0, memoryFree: 0 },
  running: 0,
  startedAt: '',
  seenAt: '',
  provedAt: '',
  ...change,
});
const entry = (change: Partial<ResourceClass>): ResourceClass => ({
  name: 'x',
  uses: 'code',
  need: { cpu: 1, memory: 0, gpu: 0, gpuMemory: 0 },
  rules: {},
  ...change,
});

test('a fitting worker needs no reason', () => {
  expect(waitingReason(entry({}), [worker({})])).toBeUndefined();
});

test('says that nobody is there, or online', () => {
  expect(waitingReason(entry({}), [])).toBe('no worker is there');
  expect(waitingReason(entry({}), [worker({ status: 'offline' })])).toBe('no worker takes tasks: 1 offline');
});

test('names the label asked for, and those that there are', () => {
  const workers = [worker({ labels: { 'gpu.model': 't4' } }), worker({ labels: { 'gpu.model': 't4' } })];
  expect(waitingReason(entry({ rules: { 'gpu.model': 'a100' } }), workers)).toBe(
    'no worker has gpu.model=a100; 2 online workers have t4',
  );
  expect(waitingReason(entry({ rules: { zone: { in: ['a', 'b'] } } }), workers)).toBe(
    'no worker has zone in [a, b]; 2 online workers without that label',
  );
});

test('names the handler, and resources that nobody has', () => {
  expect(waitingReason(entry({ uses: 'handler', handler: 'train' }), [worker({})])).toContain('handler "train"');
  expect(waitingReason(entry({ need: { cpu: 8, memory: 0, gpu: 1, gpuMemory: 0 } }), [worker({})])).toBe(
    'no worker has 8 CPUs; the most is 4 CPUs; no worker has 1 GPU; the most is 0 GPUs',
  );
});

test('says that workers of the SDK do no batches', () => {
  const embed = entry({ uses: 'handler', handler: 'embed', batch: { size: 8, timeoutMs: 50 } });
  const outside = worker({ handlers: ['embed'], outside: true });
  expect(waitingReason(embed, [outside, worker({})])).toBe(
    'only workers of the SDK have the handler "embed", and they do no batches; start one whose LATTICE_HANDLERS has it, or leave out batch',
  );
  expect(waitingReason(embed, [outside, worker({ handlers: ['embed'] })])).toBeUndefined();
  expect(waitingReason(embed, [worker({})])).toContain('no worker has the handler "embed"');
  expect(
    waitingReason({ ...embed, rules: { zone: 'a' } }, [
      { ...outside, labels: { zone: 'a' } },
      worker({ handlers: ['embed'] }),
    ]),
  ).toBe('no worker has all of it together: handler embed, in batches, zone=a, 1 CPU');
});

test('says that nobody has a folder of scripts, or not where it is asked for', () => {
  const script = entry({ uses: 'script', rules: { zone: 'a' } });
  expect(waitingReason(script, [worker({ labels: { zone: 'a' } })])).toBe(
    'no worker has a folder of scripts; start one with LATTICE_SCRIPTS',
  );
  expect(waitingReason(script, [worker({ labels: { zone: 'a' } }), worker({ scripts: true })])).toBe(
    'no worker has all of it together: a folder of scripts, zone=a, 1 CPU',
  );
  expect(waitingReason(script, [worker({ labels: { zone: 'a' }, scripts: true })])).toBeUndefined();
});

test('says when everything is there, but not in one place', () => {
  const workers = [
    worker({ labels: { zone: 'a' }, resources: { cpu: 1, memory: 0, gpu: 0, gpuMemory: 0 } }),
    worker({}),
  ];
  expect(
    waitingReason(entry({ rules: { zone: 'a' }, need: { cpu: 2, memory: 0, gpu: 0, gpuMemory: 0 } }), workers),
  ).toBe('no worker has all of it together: zone=a, 2 CPUs');
});
