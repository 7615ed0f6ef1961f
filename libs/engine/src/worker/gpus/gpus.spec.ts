import type { Gpu } from '@lattice/contracts';
import { pickGpus, WHOLE } from './allocate';
import { afterLook, chosenGpus, gpuLabels } from './find-gpus';
import { modelOf, parseNvidiaSmi } from './parse-nvidia-smi';

const GIB = 2 ** 30;
const gpu = (index: number, change: Partial<Gpu> = {}): Gpu => ({
  uuid: `GPU-${index}`,
  index,
  name: 'Tesla T4',
  model: 't4',
  memory: 16 * GIB,
  mig: false,
  healthy: true,
  fault: null,
  ...change,
});

describe('what nvidia-smi says', () => {
  it('is read, with values that are not there', () => {
    const found = parseNvidiaSmi(
      '0, GPU-aaaa, NVIDIA H200, 143771, 580.159.03, Disabled\n1, GPU-bbbb, Tesla T4, 15360, 580.159.03, [N/A]\n',
      '',
    );
    expect(found.driver).toBe('580.159.03');
    expect(found.gpus).toEqual([
      gpu(0, { uuid: 'GPU-aaaa', name: 'NVIDIA H200', model: 'h200', memory: 143_771 * 2 ** 20 }),
      gpu(1, { uuid: 'GPU-bbbb', memory: 15_360 * 2 ** 20 }),
    ]);
  });

  it('gives the instances of a partitioned GPU in its place', () => {
    const { gpus } = parseNvidiaSmi(
      '0, GPU-aaaa, NVIDIA A100-SXM4-40GB, 40960, 550.1, Enabled\n1, GPU-bbbb, NVIDIA A100-SXM4-40GB, 40960, 550.1, Disabled\n',
      [
        'GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa)',
        '  MIG 3g.20gb     Device  0: (UUID: MIG-1111)',
        '  MIG 1g.5gb      Device  1: (UUID: MIG-2222)',
        'GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-bbbb)',
      ].join('\n'),
    );
    expect(gpus.map(({ uuid, mig, memory, model }) => [uuid, mig, memory / GIB, model])).toEqual([
      ['MIG-1111', true, 20, 'a100'],
      ['MIG-2222', true, 5, 'a100'],
      ['GPU-bbbb', false, 40, 'a100'],
    ]);
  });

  it('shows a GPU that does not answer as unhealthy', () => {
    const { gpus } = parseNvidiaSmi('0, GPU-aaaa, NVIDIA A100, [GPU is lost], [Unknown Error], [N/A]\n', '');
    expect(gpus).toMatchObject([{ uuid: 'GPU-aaaa', healthy: false, memory: 0 }]);
  });

  it.each([
    ['NVIDIA A100-SXM4-40GB', 'a100'],
    ['NVIDIA A100 80GB PCIe', 'a100'],
    ['NVIDIA H100 NVL', 'h100'],
    ['NVIDIA GeForce RTX 4090', 'rtx-4090'],
    ['Tesla V100-SXM2-32GB', 'v100'],
    ['NVIDIA L40S', 'l40s'],
    ['', 'gpu'],
  ])('names the model of %s', (name, model) => expect(modelOf(name)).toBe(model));
});

describe('the GPUs of a worker', () => {
  it('that are missing or fail a look get no tasks', () => {
    const known = [gpu(0), gpu(1)];
    expect(afterLook(known, [gpu(1)]).map(({ uuid, healthy }) => [uuid, healthy])).toEqual([
      ['GPU-1', true],
      ['GPU-0', false],
    ]);
    expect(afterLook(known, new Error('no answer')).every(({ healthy, fault }) => !healthy && fault !== null)).toBe(
      true,
    );
  });

  it('are those it is to use', () => {
    const all = [gpu(0), gpu(1), gpu(1, { uuid: 'MIG-1', mig: true })];
    expect(chosenGpus(all, []).length).toBe(3);
    expect(chosenGpus(all, ['none'])).toEqual([]);
    expect(chosenGpus(all, ['1', 'GPU-0']).map(({ uuid }) => uuid)).toEqual(['GPU-0', 'GPU-1']);
  });

  it('give it labels', () => {
    expect(gpuLabels([], null)).toEqual({ 'gpu.count': 0 });
    expect(gpuLabels([gpu(0), gpu(1)], '550.1')).toEqual({
      'gpu.count': 2,
      'gpu.model': 't4',
      'gpu.name': 'Tesla T4',
      'gpu.memory': 16,
      'gpu.mig': false,
      'gpu.driver': '550.1',
    });
    expect(gpuLabels([gpu(0), gpu(1, { model: 'a100' })], null)).not.toHaveProperty('gpu.model');
  });
});

describe('allocation', () => {
  const picked = (need: { gpu: number; gpuMemory?: number }, gpus: Gpu[], used: [string, number, number?][] = []) =>
    pickGpus(
      { gpuMemory: 0, ...need },
      gpus,
      used.map(([uuid, share, memory = 0]) => ({ uuid, share, memory })),
    )?.map(({ uuid, share }) => [uuid, share]);

  it('takes whole GPUs that nobody uses, the smallest that suffice', () => {
    const gpus = [gpu(0, { memory: 80 * GIB }), gpu(1), gpu(2)];
    expect(picked({ gpu: 1 }, gpus)).toEqual([['GPU-1', WHOLE]]);
    expect(picked({ gpu: 1, gpuMemory: 40 * GIB }, gpus)).toEqual([['GPU-0', WHOLE]]);
    expect(picked({ gpu: 2 }, gpus, [['GPU-1', 100]])).toEqual([
      ['GPU-2', WHOLE],
      ['GPU-0', WHOLE],
    ]);
    expect(picked({ gpu: 3 }, gpus, [['GPU-1', 100]])).toBeUndefined();
    expect(picked({ gpu: 1.5 }, gpus)?.length).toBe(2);
  });

  it('packs shares on the fullest GPU that they fit', () => {
    const gpus = [gpu(0), gpu(1), gpu(2)];
    expect(
      picked({ gpu: 0.5 }, gpus, [
        ['GPU-1', 300],
        ['GPU-2', 600],
      ]),
    ).toEqual([['GPU-1', 500]]);
    expect(
      picked({ gpu: 0.4 }, gpus, [
        ['GPU-1', 300],
        ['GPU-2', 600],
      ]),
    ).toEqual([['GPU-2', 400]]);
    expect(
      picked({ gpu: 0.5 }, gpus, [
        ['GPU-0', WHOLE],
        ['GPU-1', 600],
        ['GPU-2', 501],
      ]),
    ).toBeUndefined();
    expect(picked({ gpu: 0.1 + 0.2 }, gpus, [['GPU-0', 700]])).toEqual([['GPU-0', 300]]);
  });

  it('heeds memory, and takes memory alone for a share', () => {
    const gpus = [gpu(0), gpu(1)];
    expect(picked({ gpu: 0.25, gpuMemory: 8 * GIB }, gpus, [['GPU-0', 250, 12 * GIB]])).toEqual([['GPU-1', 250]]);
    expect(picked({ gpu: 0, gpuMemory: 4 * GIB }, gpus)).toEqual([['GPU-0', 250]]);
    expect(picked({ gpu: 0, gpuMemory: 17 * GIB }, gpus)).toBeUndefined();
  });

  it('leaves out GPUs that are not well', () => {
    expect(picked({ gpu: 1 }, [gpu(0, { healthy: false })])).toBeUndefined();
  });
});
