import type { Gpu } from '@lattice/contracts';
import { pickGpus, WHOLE } from './allocate';
import { afterLook, chosenGpus, gpuLabels } from './find-gpus';

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

describe('the GPUs of a worker', () => {
  it('that are missing or fail a look get no tasks', () => {
    const known = [gpu(0), gpu(1)];
    expect(afterLook(known, [gpu(1)]).map(({ uuid, healthy }) => [uuid, healthy])).toEqual([
      ['GPU-1', true],
      ['GPU-0', false],
    ]);
    const [, lost] = afterLook(known, [gpu(1)], 'Unable to determine the device handle for GPU0');
    expect(lost?.fault).toMatch(/does not list it any more, and says: Unable/);
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

  it('takes GPUs for what they are sold as, though they tell a little less', () => {
    const gpus = [gpu(0, { memory: 24_564 * 2 ** 20 }), gpu(1, { memory: 81_559 * 2 ** 20 })];
    expect(picked({ gpu: 1, gpuMemory: 24 * GIB }, gpus)).toEqual([['GPU-0', WHOLE]]);
    expect(picked({ gpu: 0, gpuMemory: 24 * GIB }, gpus)).toEqual([['GPU-0', WHOLE]]);
    expect(picked({ gpu: 1, gpuMemory: 80 * GIB }, gpus)).toEqual([['GPU-1', WHOLE]]);
    expect(picked({ gpu: 0, gpuMemory: 4 * GIB }, gpus, [['GPU-0', 850, 20 * GIB]])).toEqual([['GPU-1', 51]]);
    expect(picked({ gpu: 0, gpuMemory: 82 * GIB }, gpus)).toBeUndefined();
  });

  it('leaves out GPUs that are not well', () => {
    expect(picked({ gpu: 1 }, [gpu(0, { healthy: false })])).toBeUndefined();
  });
});
