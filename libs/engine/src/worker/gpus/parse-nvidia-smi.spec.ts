import fc from 'fast-check';
import { hasGpus, modelOf, parseNvidiaSmi, troubleOf } from './parse-nvidia-smi';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

describe('what nvidia-smi says', () => {
  it('is read, with values that are not there', () => {
    const found = parseNvidiaSmi(
      '0, GPU-aaaa, NVIDIA H200, 143771, 580.159.03, P0, 3, Disabled\n1, GPU-bbbb, Tesla T4, 15360, 580.159.03, P8, 0, [N/A]\n',
      '',
    );
    const well = { mig: false, healthy: true, fault: null };
    expect(found).toEqual({
      driver: '580.159.03',
      trouble: null,
      gpus: [
        { ...well, index: 0, uuid: 'GPU-aaaa', name: 'NVIDIA H200', model: 'h200', memory: 143_771 * MIB },
        { ...well, index: 1, uuid: 'GPU-bbbb', name: 'Tesla T4', model: 't4', memory: 15_360 * MIB },
      ],
    });
  });

  it.each([
    ['that shares the memory of the machine', '0, GPU-a, NVIDIA GB10, [N/A], 580.95, P8, 0, [N/A]'],
    ['of an older driver', '0, GPU-a, GRID K1, [Not Supported], 390.12, P8, [Not Supported], [Not Supported]'],
    ['whose memory this user may not see', '0, GPU-a, NVIDIA A16, [Insufficient Permissions], 550.1, P8, 0, [N/A]'],
  ])('takes a GPU %s as healthy, of unknown memory', (_, line) => {
    expect(parseNvidiaSmi(line, '').gpus).toMatchObject([{ healthy: true, fault: null, memory: 0 }]);
  });

  it('takes no harm by what a healthy GPU has no answer to', () => {
    const line = '0, GPU-a, NVIDIA GeForce RTX 2080 Ti, 11264, 442.19, [Unknown Error], [Unknown Error], [N/A]';
    expect(parseNvidiaSmi(line, '').gpus).toMatchObject([{ healthy: true, memory: 11_264 * MIB }]);
  });

  it.each([
    '0, GPU-a, NVIDIA A100, [GPU is lost], [Unknown Error], [N/A], [N/A], [N/A]',
    '0, GPU-a, [Unknown Error], [Unknown Error], 550.1, [Unknown Error], [Unknown Error], [Unknown Error]',
    '0, GPU-a, NVIDIA H100 80GB HBM3, 81559, 550.1, [GPU requires reset], [GPU requires reset], Disabled',
    '0, GPU-a, NVIDIA RTX A6000, ERR!, 550.1, P0, 0, [N/A]',
  ])('shows a GPU that does not answer as unhealthy, in its words: %s', (line) => {
    expect(parseNvidiaSmi(line, '').gpus).toMatchObject([{ healthy: false, fault: `nvidia-smi says: ${line}` }]);
  });

  it('has the GPUs that answer, and what is said of the one that does not', () => {
    const lost = 'Unable to determine the device handle for GPU1: 0000:34:00.0: Unknown Error';
    const query = `${lost}\n0, GPU-a, NVIDIA L4, 23034, 610.57.04, P8, 0, [N/A]\n`;
    expect(parseNvidiaSmi(query, '')).toMatchObject({ gpus: [{ uuid: 'GPU-a', healthy: true }], trouble: lost });
    const corrupted = 'WARNING: infoROM is corrupted at gpu 0000:34:00.0';
    expect(troubleOf(query, `${corrupted}\n`)).toBe(`${lost}; ${corrupted}`);
  });

  it.each(['', 'No devices were found\n', 'Failed to initialize NVML: Driver/library version mismatch\n'])(
    'has no GPU: %j',
    (text) => {
      expect(hasGpus(text)).toBe(false);
      expect(parseNvidiaSmi(text, '')).toMatchObject({ gpus: [], driver: null, trouble: text.trim() || null });
    },
  );

  it('is never misread into a GPU without a UUID, or a healthy one without a word on its memory', () => {
    const field = fc.oneof(fc.string(), fc.constantFrom('0', 'GPU-a', '[N/A]', '[Unknown Error]', '81559', 'Enabled'));
    fc.assert(
      fc.property(fc.array(fc.array(field, { maxLength: 9 })), fc.string(), (lines, list) => {
        const text = lines.map((fields) => fields.join(', ')).join('\n');
        for (const gpu of parseNvidiaSmi(text, list).gpus) {
          expect(gpu.uuid).toMatch(/^(GPU|MIG)-/);
          expect(Number.isInteger(gpu.index) && gpu.memory >= 0).toBe(true);
          expect(gpu.healthy).toBe(gpu.fault === null);
        }
      }),
    );
  });
});

describe('a partitioned GPU', () => {
  const line = (index: number, mig: string): string =>
    `${index}, GPU-${index}, NVIDIA A100-SXM4-40GB, 40960, 550.1, P0, [N/A], ${mig}`;

  it('has its instances in its place', () => {
    const { gpus } = parseNvidiaSmi(
      `${line(0, 'Enabled')}\n${line(1, 'Disabled')}\n`,
      [
        'GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-0)',
        '  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)',
        '  MIG 1g.5gb+me   Device  1: (UUID: MIG-0c757cd7-e942-5726-a0b8-0e8fb7067135)',
        '  MIG 1c.2g.10gb  Device  2: (UUID: MIG-1a2b)',
        'GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-1)',
      ].join('\n'),
    );
    expect(gpus.map(({ uuid, mig, memory, model, name }) => [uuid, mig, memory / GIB, model, name])).toEqual([
      ['MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f', true, 20, 'a100', 'NVIDIA A100-SXM4-40GB MIG 3g.20gb'],
      ['MIG-0c757cd7-e942-5726-a0b8-0e8fb7067135', true, 5, 'a100', 'NVIDIA A100-SXM4-40GB MIG 1g.5gb+me'],
      ['MIG-1a2b', true, 10, 'a100', 'NVIDIA A100-SXM4-40GB MIG 1c.2g.10gb'],
      ['GPU-1', false, 40, 'a100', 'NVIDIA A100-SXM4-40GB'],
    ]);
  });

  it('of a driver before version 470 has instances that are named by the GPU', () => {
    const list =
      'GPU 0: A100-SXM4-40GB (UUID: GPU-0)\n  MIG 1g.5gb Device 0: (UUID: MIG-GPU-0/7/0)\n  MIG 1g.5gb Device 1: (UUID: MIG-GPU-0/8/0)\n';
    const { gpus } = parseNvidiaSmi(line(0, 'Enabled'), list);
    expect(gpus.map(({ uuid, memory }) => [uuid, memory / GIB])).toEqual([
      ['MIG-GPU-0/7/0', 5],
      ['MIG-GPU-0/8/0', 5],
    ]);
  });

  it('without instances is nothing that a task could use', () => {
    expect(parseNvidiaSmi(line(0, 'Enabled'), 'GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-0)\n').gpus).toEqual([]);
  });

  it('that must be reset has no healthy instance', () => {
    const query = line(0, 'Enabled').replace('P0', '[GPU requires reset]');
    const list = 'GPU 0: NVIDIA A100 (UUID: GPU-0)\n  MIG 1g.5gb Device 0: (UUID: MIG-1)\n';
    expect(parseNvidiaSmi(query, list).gpus).toMatchObject([{ uuid: 'MIG-1', healthy: false }]);
  });
});

it.each([
  ['NVIDIA A100-SXM4-40GB', 'a100'],
  ['NVIDIA A100 80GB PCIe', 'a100'],
  ['NVIDIA H100 NVL', 'h100'],
  ['NVIDIA H100 80GB HBM3', 'h100'],
  ['NVIDIA GeForce RTX 4090', 'rtx-4090'],
  ['Tesla V100-SXM2-32GB', 'v100'],
  ['NVIDIA L40S', 'l40s'],
  ['', 'gpu'],
])('the model of %s', (name, model) => expect(modelOf(name)).toBe(model));
