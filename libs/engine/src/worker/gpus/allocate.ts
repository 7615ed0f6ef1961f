import type { Gpu } from '@lattice/contracts';
import type { Need } from '@lattice/flow';

/** A GPU, or a share of one, in use. `share` is in thousandths, so that sums are exact; memory in bytes. */
export interface Device {
  readonly uuid: string;
  readonly share: number;
  readonly memory: number;
}

/** A whole GPU. */
export const WHOLE = 1_000;
/** GPUs tell a little less memory than they are sold with: 24564 MiB are 24 GiB to everybody, 81559 MiB 80. */
const UNTOLD = 0.02;

/**
 * Picks GPUs for a need among those that are healthy, given what is in use; undefined when they don't suffice. Whole GPUs
 * are taken only when nobody uses them, the smallest that suffice first. A share goes to the fullest GPU that it fits, so
 * that whole ones stay free. A need of memory alone is a share of one GPU.
 */
export function pickGpus(
  need: Pick<Need, 'gpu' | 'gpuMemory'>,
  gpus: readonly Gpu[],
  used: readonly Device[],
): Device[] | undefined {
  const free = gpus.filter(({ healthy }) => healthy).map((gpu) => roomOf(gpu, used));
  return need.gpu >= 1 ? pickWhole(Math.ceil(need.gpu), need.gpuMemory, free) : pickShare(need, free);
}

interface Room {
  readonly gpu: Gpu;
  readonly share: number;
  readonly memory: number;
}

function roomOf(gpu: Gpu, used: readonly Device[]): Room {
  let { memory } = gpu;
  let share = WHOLE;
  for (const device of used) {
    if (device.uuid !== gpu.uuid) continue;
    share -= device.share;
    memory -= device.memory;
  }
  return { gpu, share, memory };
}

function pickWhole(count: number, memory: number, rooms: readonly Room[]): Device[] | undefined {
  const idle = rooms
    .filter(({ share, gpu }) => share === WHOLE && suffices(gpu.memory, memory, gpu))
    .sort((a, b) => a.gpu.memory - b.gpu.memory || a.gpu.index - b.gpu.index);
  if (idle.length < count) return undefined;
  return idle.slice(0, count).map(({ gpu }) => ({ uuid: gpu.uuid, share: WHOLE, memory: gpu.memory }));
}

function pickShare(need: Pick<Need, 'gpu' | 'gpuMemory'>, rooms: readonly Room[]): Device[] | undefined {
  const [best] = rooms
    .map((room) => ({ ...room, asked: shareOf(need, room.gpu) }))
    .filter(({ gpu, share, memory, asked }) => share >= asked && suffices(memory, need.gpuMemory, gpu))
    .sort((a, b) => a.share - b.share || a.memory - b.memory || a.gpu.index - b.gpu.index);
  return best === undefined ? undefined : [{ uuid: best.gpu.uuid, share: best.asked, memory: need.gpuMemory }];
}

function suffices(memory: number, asked: number, gpu: Gpu): boolean {
  return memory + gpu.memory * UNTOLD >= asked;
}

/** Rounded up: what is asked for is never given short. */
function shareOf(need: Pick<Need, 'gpu' | 'gpuMemory'>, gpu: Gpu): number {
  const byMemory = gpu.memory === 0 ? 0 : Math.min(1, need.gpuMemory / gpu.memory);
  // A share that is exact in decimals must not be rounded up for the noise of its binary form.
  return Math.max(1, Math.ceil((need.gpu > 0 ? need.gpu : byMemory) * WHOLE - 1e-6));
}
