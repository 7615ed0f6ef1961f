import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, readSettings } from '@lattice/config';
import type { RunEvent, RunView } from '@lattice/contracts';
import {
  DocumentCache,
  LiveHub,
  closeEngine,
  openEngine,
  readRun,
  submissionOfJson,
  submitRun,
  type Engine,
  type RacePoint,
  type Runtime,
} from '@lattice/engine';
import { readEvents } from '@lattice/persistence';
import { eventually } from './eventually';
import { leftovers, removeKeys } from './leftovers';
import type { Part } from './part';
import { testDatabase, type TestDatabase } from './postgres';
import { NEWER } from './newer-compiler';
import { startScheduler } from './scheduler-part';
import { startWorker } from './worker-part';

/** A scheduler or worker in a process of its own. */
export interface Process {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Resolves with the signal or exit code when the process has ended. */
  readonly ended: Promise<string>;
  kill(signal?: NodeJS.Signals): void;
}

export interface ProcessOptions {
  kind: 'scheduler' | 'worker';
  /** The process kills itself there, of this task only if one is named. */
  race?: RacePoint;
  raceTask?: string;
  /** `newer`: it makes plans of a later version. */
  plans?: 'newer';
  workerId?: string;
  env?: NodeJS.ProcessEnv;
}

/** What runs when a platform is open. */
interface Parts {
  readonly schedulers?: number;
  readonly workers?: number;
  readonly environment?: NodeJS.ProcessEnv;
}

export interface SubmitOptions {
  inputs?: Record<string, unknown>;
  priority?: number;
  delay?: string;
  deadline?: string;
}

const ANYBODY = '00000000-0000-0000-0000-000000000000';
const LEAVE_MS = 30_000;

/**
 * The platform on a database and a key prefix of its own: what an API does (submit, read, wait) by calls, schedulers and
 * workers in this process or in others. `close` stops all of it.
 */
export class TestPlatform {
  readonly runs: string[] = [];
  private readonly parts = new Set<Part>();
  private readonly processes = new Set<Process>();
  private readonly documents = new DocumentCache();

  private constructor(
    readonly engine: Engine,
    readonly hub: LiveHub,
    private readonly on: {
      /** Goes with the platform. */
      readonly folder: string;
      readonly environment: NodeJS.ProcessEnv;
      readonly database: TestDatabase;
    },
  ) {}

  static async open(overrides: NodeJS.ProcessEnv = {}): Promise<TestPlatform> {
    const database = await testDatabase();
    const folder = mkdtempSync(join(tmpdir(), 'lattice-engine-test-'));
    const environment = {
      REDIS_URL: process.env['REDIS_URL'],
      DATABASE_URL: database.url,
      LATTICE_PREFIX: `{test:${randomUUID()}}`,
      LATTICE_HOME: folder,
      LATTICE_LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
      ...overrides,
    };
    const engine = await openEngine(
      readSettings(environment),
      'lattice-test',
      createLogger('test', process.env['TEST_LOG_LEVEL'] ?? 'silent'),
    );
    return new TestPlatform(engine, new LiveHub(engine), { folder, environment, database });
  }

  /** With so many schedulers and workers in this process, each one unless it is said. */
  static async running({ schedulers = 1, workers = 1, environment = {} }: Parts = {}): Promise<TestPlatform> {
    const platform = await TestPlatform.open(environment);
    for (let n = 0; n < schedulers; n += 1) await platform.scheduler();
    for (let n = 0; n < workers; n += 1) await platform.worker();
    return platform;
  }

  /** A folder for what a test wants to write. */
  get folder(): string {
    return this.on.folder;
  }

  /** What `note` tasks write to. */
  get ledger(): string {
    return join(this.folder, 'ledger');
  }

  /** Starts a scheduler in this process. */
  async scheduler(race?: Runtime['race'], plans?: 'newer'): Promise<Part> {
    const compiler = plans === undefined ? undefined : NEWER;
    return this.keep(await startScheduler(readSettings(this.on.environment), { race, compiler }));
  }

  /** Starts a worker in this process. */
  async worker(
    options: { workerId?: string; env?: NodeJS.ProcessEnv; race?: Runtime['race']; plans?: 'newer' } = {},
  ): Promise<Part> {
    const workerId = options.workerId ?? `worker-${randomUUID()}`;
    const settings = readSettings({ ...this.on.environment, LATTICE_WORKER_ID: workerId, ...options.env });
    const compiler = options.plans === undefined ? undefined : NEWER;
    return this.keep(await startWorker(settings, this.ledger, { race: options.race, compiler }));
  }

  private keep(part: Part): Part {
    const kept: Part = {
      runtime: part.runtime,
      stop: async () => {
        if (this.parts.delete(kept)) await part.stop();
      },
    };
    this.parts.add(kept);
    return kept;
  }

  /** Starts a scheduler or worker in a process of its own; resolves when it runs. */
  async spawn(options: ProcessOptions): Promise<Process> {
    const child = fork(join(__dirname, `${options.kind}-process.ts`), {
      execArgv: ['--max-semi-space-size=64', '-C', 'lattice-source', '-r', join(__dirname, 'register.cjs')],
      env: {
        PATH: process.env['PATH'],
        ...this.on.environment,
        LEDGER: this.ledger,
        LATTICE_WORKER_ID: options.workerId ?? `process-${randomUUID()}`,
        ...(options.race === undefined ? {} : { RACE: options.race }),
        ...(options.plans === undefined ? {} : { PLANS: options.plans }),
        ...(options.raceTask === undefined ? {} : { RACE_TASK: options.raceTask }),
        ...options.env,
      },
    });
    const ended = new Promise<string>((resolve) =>
      child.once('exit', (code, signal) => resolve(signal ?? String(code))),
    );
    const spawned = {
      child,
      pid: child.pid ?? 0,
      ended,
      kill: (signal: NodeJS.Signals = 'SIGKILL') => void child.kill(signal),
    };
    this.processes.add(spawned);
    void ended.then(() => this.processes.delete(spawned));
    const ready = new Promise<string>((resolve) => child.once('message', () => resolve('ready')));
    const first = await Promise.race([ready, ended]);
    // With a race point the process may be gone by the time it is looked at.
    if (first !== 'ready' && options.race === undefined)
      throw new Error(`a ${options.kind} ended at its start: ${first}`);
    return spawned;
  }

  /** Stores a run; the schedulers are told. */
  async submit(workflow: Record<string, unknown>, options: SubmitOptions = {}): Promise<string> {
    const submission = submissionOfJson(JSON.stringify({ workflow, ...options }), this.documents);
    const { documents } = this;
    const { runId } = await submitRun(this.engine, { submission, documents, apiKeyId: ANYBODY });
    this.runs.push(runId);
    return runId;
  }

  /** The run as it ended; throws with what is known of it when it does not end in time. */
  async wait(runId: string, limitMs = 20_000): Promise<RunView> {
    await this.hub.waitForEnd(runId, limitMs);
    const run = await readRun(this.engine, runId);
    if (run.finishedAt !== null) return run;
    const hash = await this.engine.queue.redis.hgetall(this.engine.queue.keys.run(runId));
    const head = Object.entries(hash).filter(([name]) => !name.includes(':'));
    const tasks = run.tasks.map(({ key, status }) => `${key}:${status}`).join(' ');
    throw new Error(`run ${runId} is ${run.status} after ${limitMs} ms: ${JSON.stringify(head)} ${tasks}`);
  }

  async run(workflow: Record<string, unknown>, options: SubmitOptions = {}): Promise<RunView> {
    return this.wait(await this.submit(workflow, options));
  }

  read(runId: string): Promise<RunView> {
    return readRun(this.engine, runId);
  }

  events(runId: string): Promise<RunEvent[]> {
    return readEvents(this.engine.db, { runId, limit: 100_000 });
  }

  /** Resolves when Redis has nothing more of the runs; they must be final. */
  async settled(limitMs = LEAVE_MS): Promise<void> {
    let left: string[] = [];
    const runs = this.runs.splice(0);
    await eventually(
      `Redis is rid of ${runs.length} runs`,
      async () => {
        left = await leftovers(this.engine.queue, runs);
        return left.length === 0 ? true : undefined;
      },
      limitMs,
    ).catch((error: unknown) => {
      throw new Error(`left in Redis:\n${left.join('\n')}`, { cause: error });
    });
  }

  /** Stops the schedulers and workers of this process. */
  async stopParts(): Promise<void> {
    await Promise.all([...this.parts].map((part) => part.stop()));
  }

  async close(): Promise<void> {
    for (const one of this.processes) one.kill();
    await Promise.all([...this.processes].map(({ ended }) => ended));
    await Promise.all([...this.parts].map((part) => part.stop()));
    await this.hub.close('the test is over');
    await removeKeys(this.engine.queue);
    await closeEngine(this.engine);
    await this.on.database.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
