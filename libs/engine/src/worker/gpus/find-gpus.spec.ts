import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGpuFinder } from './find-gpus';

const LINE = '0, GPU-a, NVIDIA L4, 23034, 610.57.04, P8, 0, [N/A]';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lattice-gpus-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A finder that asks this script. */
function finder(script: string, limitMs = 10_000) {
  const program = join(folder, 'nvidia-smi');
  writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return createGpuFinder({ program, limitMs });
}

describe('the GPUs of a machine', () => {
  it('are none where there is no nvidia-smi, and where it finds none', async () => {
    const none = { gpus: [], driver: null, trouble: null };
    expect(await createGpuFinder({ program: join(folder, 'none') })()).toEqual(none);
    expect(await finder('echo "No devices were found"; exit 6')()).toEqual(none);
  });

  it('are those that answer, when nvidia-smi fails for another one', async () => {
    const lost = 'Unable to determine the device handle for GPU1: 0000:34:00.0: Unknown Error';
    for (const stream of ['', ' >&2']) {
      const found = await finder(`echo "${lost}"${stream}; echo "${LINE}"; exit 255`)();
      expect(found).toMatchObject({ gpus: [{ uuid: 'GPU-a', healthy: true }], trouble: lost });
    }
  });

  it.each([
    [18, 'Failed to initialize NVML: Driver/library version mismatch'],
    [9, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."],
    [15, 'Unable to determine the device handle for GPU 0000:01:00.0: GPU is lost. Reboot the system.'],
  ])('are not known when nvidia-smi ends with code %d, which says why on stdout', async (code, said) => {
    const error = `it ended with code ${code} and said: ${said}`;
    await expect(finder(`echo "${said}"; exit ${code}`)()).rejects.toThrow(error);
  });

  it('are found with a driver that knows nothing of partitions', async () => {
    const found = await finder(
      `case $1 in *mig.mode*) echo 'Field "mig.mode.current" is not a valid field to query.'; exit 2 ;; *) echo "0, GPU-a, Tesla K80, 11441, 440.33, P8, 0" ;; esac`,
    )();
    expect(found).toMatchObject({ gpus: [{ uuid: 'GPU-a', healthy: true, model: 'k80' }], driver: '440.33' });
  });

  it('are asked for their instances where one is partitioned', async () => {
    const list = 'GPU 0: NVIDIA L4 (UUID: GPU-a)\\n  MIG 1g.5gb Device 0: (UUID: MIG-1)\\n';
    const found = await finder(
      `[ "$1" = -L ] && { printf "${list}"; exit; }; echo "${LINE.replace('[N/A]', 'Enabled')}"`,
    )();
    expect(found.gpus).toMatchObject([{ uuid: 'MIG-1', mig: true }]);
  });

  it('are not waited for longer than the limit, not even when the program survives its end', async () => {
    // What sleeps in the kernel keeps the pipes open, as this child does.
    const find = finder('sleep 600 & echo $! >"$0.pid"; wait', 300);
    const before = performance.now();
    await expect(find()).rejects.toThrow('it did not answer within 300 ms');
    expect(performance.now() - before).toBeLessThan(5_000);
    process.kill(Number(readFileSync(join(folder, 'nvidia-smi.pid'), 'utf8')), 'SIGKILL');
  });
});
