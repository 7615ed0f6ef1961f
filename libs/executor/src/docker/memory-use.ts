import { z } from 'zod';
import { taskError, type TaskError } from '@lattice/contracts';

/** What the kernel says of a container's memory at one moment. */
export interface MemoryUse {
  /** Milliseconds on the engine's clock. */
  readonly at: number;
  /** All that counts against the limit, files that were read included. */
  readonly usedBytes: number;
  /** Of that, what can't be read from a file again: data of its processes, files in /tmp. Without swap it stays. */
  readonly ownBytes: number;
  /** Pages of files that programs have mapped and could use without a wait. */
  readonly mappedBytes: number;
  /** How often, so far, a process had to wait for a page of a file. */
  readonly majorFaults: number;
  /** Time, so far, that the processor spent in the container's programs, not in the kernel. Milliseconds. */
  readonly programMs: number;
}

const count = z.number().nonnegative();
const statsSchema = z.object({
  read: z.iso.datetime(),
  cpu_stats: z.object({ cpu_usage: z.object({ usage_in_usermode: count }) }),
  memory_stats: z.object({ usage: count, stats: z.record(z.string(), z.unknown()) }),
});
/** Pages of files in memory (shared memory, /tmp) are on these lists, too. */
const OWN = ['active_anon', 'inactive_anon', 'unevictable'];
const NANOSECONDS_PER_MS = 1_000_000;

/** Of the engine's statistics; undefined where it has none: it does not count memory, or the container has ended. */
export function memoryUseOf(stats: unknown): MemoryUse | undefined {
  const parsed = statsSchema.safeParse(stats);
  if (!parsed.success) return undefined;
  const { read, cpu_stats, memory_stats } = parsed.data;
  // Control groups of version 1 have each number twice: without and with the groups inside.
  const numberOf = (name: string): number | undefined => {
    const value = memory_stats.stats[`total_${name}`] ?? memory_stats.stats[name];
    return typeof value === 'number' ? value : undefined;
  };
  const own = OWN.map(numberOf);
  const majorFaults = numberOf('pgmajfault');
  if (majorFaults === undefined || own.every((one) => one === undefined)) return undefined;
  return {
    at: Date.parse(read),
    usedBytes: memory_stats.usage,
    ownBytes: own.reduce<number>((sum, one) => sum + (one ?? 0), 0),
    // By its names of version 1 and 2.
    mappedBytes: numberOf('mapped_file') ?? numberOf('file_mapped') ?? Infinity,
    majorFaults,
    programMs: cpu_stats.cpu_usage.usage_in_usermode / NANOSECONDS_PER_MS,
  };
}

/** At the limit: the kernel counts what it hands out in small lots, so it may be a little below. */
const AT_LIMIT = 0.97;
/** Where less than this part is its own, the rest is files that it works on: such a program is slow, and goes on. */
const OWN_SHARE = 2 / 3;
/** Of the time. A program that gets further than this is not starved. */
const PROGRAM_SHARE = 0.05;
const FAULTS_PER_SECOND = 10;
/** Of what is not its own. Where more is mapped, the pages that were read are of use, and the program gets further, however slowly. */
const MAPPED_SHARE = 1 / 4;

/**
 * Whether a container that has come to its limit only waits for files, again and again: its own data fills the memory, so the kernel
 * throws away pages of files, those of the running programs too, which are needed at once and read again. As that goes on
 * giving back pages, the kernel does not see an end of memory, and can leave a container so for minutes.
 */
export class Starvation {
  #first: MemoryUse | undefined;
  #last: MemoryUse | undefined;

  /** `hopeless`: only as long as hardly any page that is read comes to be used. */
  constructor(private readonly options: { limitBytes: number; hopeless: boolean }) {}

  /** Takes what was measured next. */
  see(use: MemoryUse): void {
    const last = this.#last;
    this.#last = use;
    if (!this.isFull(use)) this.#first = undefined;
    else if (this.#first === undefined || last === undefined || !isStuck(last, use)) this.#first = use;
  }

  /** For how long so far, without a break; 0 when it is not so. Milliseconds. */
  get ms(): number {
    return this.#first === undefined || this.#last === undefined ? 0 : this.#last.at - this.#first.at;
  }

  /** The error that it stands for, with what was measured; undefined when it has not been so for that long. */
  errorAfter(ms: number, details: Record<string, unknown> = {}): TaskError | undefined {
    const [first, last] = [this.#first, this.#last];
    if (first === undefined || last === undefined || this.ms < ms) return undefined;
    const { limitBytes } = this.options;
    const { ownBytes } = last;
    const majorFaults = last.majorFaults - first.majorFaults;
    const programMs = Math.round(last.programMs - first.programMs);
    const message =
      `used all the memory of its limit of ${limitBytes} bytes: ${ownBytes} are its own data, and the files that it needs, its ` +
      `programs included, do not fit into the rest: in ${this.ms} ms it waited for them ${majorFaults} times and worked for ${programMs} ms`;
    return taskError('out_of_memory', message, {
      details: { limitBytes, ownBytes, starvedMs: this.ms, majorFaults, programMs, ...details },
    });
  }

  private isFull({ usedBytes, ownBytes, mappedBytes }: MemoryUse): boolean {
    const { limitBytes, hopeless } = this.options;
    if (usedBytes < AT_LIMIT * limitBytes || ownBytes < OWN_SHARE * limitBytes) return false;
    return !hopeless || mappedBytes <= MAPPED_SHARE * (usedBytes - ownBytes);
  }
}

function isStuck(before: MemoryUse, after: MemoryUse): boolean {
  const ms = after.at - before.at;
  if (ms <= 0) return true;
  const faults = after.majorFaults - before.majorFaults;
  return after.programMs - before.programMs <= PROGRAM_SHARE * ms && faults >= (FAULTS_PER_SECOND * ms) / 1_000;
}
