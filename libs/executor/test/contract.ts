import { readdirSync, rmSync } from 'node:fs';
import type { SandboxLevel } from '@lattice/contracts';
import { createExecutors, type Executors } from '../src/executors';
import type { Execution, Executor, Handle, Handler, Outcome } from '../src/port';
import type { Programs } from './programs';
import {
  bubblewrapWorks,
  code,
  collector,
  dockerAnswers,
  eventually,
  handler,
  MEBIBYTE,
  newFolder,
  processesWith,
  type Overrides,
} from './support';

const docker = dockerAnswers();
const bubblewrap = bubblewrapWorks();
const WARM_BYTES = 200 * MEBIBYTE;
const KINDS = [
  { level: 'none', kind: 'handler', ahead: 'nothing' },
  { level: 'none', kind: 'javascript', ahead: 'nothing' },
  { level: 'subprocess', kind: 'javascript', ahead: 'nothing' },
  { level: 'subprocess', kind: 'python', ahead: 'nothing' },
  { level: 'subprocess', kind: 'javascript', ahead: 'rooms' },
  { level: 'subprocess', kind: 'javascript', ahead: 'interpreters' },
  ...(bubblewrap
    ? ([
        { level: 'seccomp', kind: 'javascript', ahead: 'nothing' },
        { level: 'seccomp', kind: 'python', ahead: 'nothing' },
        { level: 'seccomp', kind: 'python', ahead: 'rooms' },
        { level: 'seccomp', kind: 'python', ahead: 'interpreters' },
      ] as const)
    : []),
  ...(docker
    ? ([
        { level: 'docker', kind: 'javascript', ahead: 'nothing' },
        { level: 'docker', kind: 'python', ahead: 'nothing' },
        { level: 'docker', kind: 'javascript', ahead: 'interpreters' },
      ] as const)
    : []),
] as const;

/** One way of running programs, which is held to the contract. */
export interface Contract {
  readonly level: SandboxLevel;
  /** Whether programs can be ended: a function of the worker can't. */
  readonly killable: boolean;
  /** Whether they are apart from the worker. */
  readonly apart: boolean;
  readonly executor: () => Executor;
  readonly program: (programs: Programs, overrides?: Overrides) => Execution;
  readonly run: (programs: Programs, overrides?: Overrides) => Promise<Outcome>;
  /** Resolves when the program has said that it is up. */
  readonly started: (
    programs: Programs,
    overrides?: Overrides,
  ) => Promise<{ handle: Handle; log: ReturnType<typeof collector> }>;
}

/**
 * Describes what all ways of running programs have in common, or all but functions of the worker. After each test nothing of an execution
 * may be left.
 */
export function describeContract(
  concern: string,
  tests: (contract: Contract) => void,
  among: 'all' | 'code' = 'all',
): void {
  const kinds = KINDS.filter(({ kind }) => among === 'all' || kind !== 'handler');
  describe.each(kinds)(`${concern}: level $level, $kind, ready before: $ahead`, (kind) => tests(setUp(concern, kind)));
}

function setUp(concern: string, { level, kind, ahead }: (typeof KINDS)[number]): Contract {
  const killable = kind !== 'handler';
  const handlers = new Map<string, Handler>();
  const mark = `contract-${concern}-${level}-${kind}-${ahead}-${process.pid}`;
  let workRoot: string;
  let executors: Executors;
  let executor: Executor;

  beforeAll(() => {
    workRoot = newFolder();
    executors = createExecutors({
      workerId: mark,
      workRoot,
      handlers,
      warmBytes: ahead === 'interpreters' ? WARM_BYTES : 0,
      rooms: ahead !== 'nothing',
    });
    executor = executors.forTask(killable ? 'code' : 'handler/any', level);
  });
  afterEach(() => {
    // What waits for a task has no execution yet.
    const left = processesWith(`LATTICE_OWNER=${mark}`);
    if (killable && ahead === 'nothing') expect(left).toEqual([]);
    if (ahead !== 'nothing')
      expect(left.filter((pid) => processesWith('LATTICE_EXECUTION=').includes(pid))).toEqual([]);
  });
  afterAll(async () => {
    await executors.close();
    expect(processesWith(`LATTICE_OWNER=${mark}`)).toEqual([]);
    expect(readdirSync(workRoot)).toEqual([]);
    rmSync(workRoot, { recursive: true });
  });

  function program(programs: Programs, overrides?: Overrides): Execution {
    const source = programs[kind];
    if (kind !== 'handler') return code(kind, String(source), overrides);
    if (typeof source !== 'function') throw new Error('no such handler');
    const name = `test${handlers.size}`;
    handlers.set(name, source);
    return handler(name, overrides);
  }

  return {
    level,
    killable,
    apart: level !== 'none',
    executor: () => executor,
    program,
    run: (programs, overrides) => executor.submit(program(programs, overrides)).result(),
    async started(programs, overrides = {}) {
      const log = collector();
      const handle = executor.submit(program(programs, { ...overrides, onLog: log.onLog }));
      await eventually(() => log.text().includes('up'));
      return { handle, log };
    },
  };
}
