import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A machine with GPUs that are not there: an `nvidia-smi` that tells of them, and a folder for leases. */
export interface FakeGpus {
  /** For the environment of a worker. */
  readonly env: { readonly PATH: string; readonly LATTICE_GPU_LOCKS: string; readonly LATTICE_GPU_CHECK: string };
  readonly uuids: readonly string[];
  /** From now on nvidia-smi tells this. */
  say(query: string): void;
  /** From now on nvidia-smi fails. */
  fail(): void;
}

export const gpuLine = (index: number, model = 'Tesla T4', mebibytes = 15_360): string =>
  `${index}, GPU-fake-${index}, ${model}, ${mebibytes}, 550.54.15, P8, 0, [N/A]`;

export function fakeGpus(folder: string, lines: readonly string[]): FakeGpus {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const answer = join(bin, 'answer');
  const program = join(bin, 'nvidia-smi');
  writeFileSync(program, `#!/bin/sh\n[ "$1" = -L ] && exit 0\nexec cat '${answer}'\n`);
  chmodSync(program, 0o755);
  const say = (query: string): void => writeFileSync(answer, query);
  say(`${lines.join('\n')}\n`);
  return {
    env: {
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      LATTICE_GPU_LOCKS: join(folder, 'leases'),
      LATTICE_GPU_CHECK: '200ms',
    },
    uuids: lines.map((line) => line.split(', ')[1] ?? ''),
    say,
    fail: () => writeFileSync(program, '#!/bin/sh\necho "Failed to initialize NVML" >&2\nexit 255\n'),
  };
}
