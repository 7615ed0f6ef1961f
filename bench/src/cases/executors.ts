import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createExecutors, type Executor, type Executors } from '@lattice/executor';
import type { Benchmark } from '../benchmark';
import { range } from '../graphs';
import { median, timed } from '../numbers';
import { atMost, justSaid, type Line } from '../report';

const run = promisify(execFile);
const LEVELS = ['subprocess', 'seccomp', 'docker'] as const;
const LANGUAGES = ['javascript', 'python'] as const;
type Level = (typeof LEVELS)[number];
type Language = (typeof LANGUAGES)[number];

const SOURCES: Readonly<Record<Language, string>> = {
  javascript: 'export default () => { console.log("x"); return 1 }',
  python: 'def main(input):\n  print("x")\n  return 1',
};
const ENVIRONMENT = { PATH: process.env['PATH'], HOME: '/tmp', LANG: 'C.UTF-8' };
const NOBODY = { uid: 65_534, gid: 65_534 };
/** Between two tasks, so that what is started ahead is ready: the processor has nothing else to do here. */
const PAUSE_MS = 150;
const DOCKER_PAUSE_MS = 600;
/** Containers take their time: of the rounds, one in so many. */
const DOCKER_SHARE = 3;
const WARM_BYTES = 256 * 1024 * 1024;

interface Times {
  /** Milliseconds to the first byte that the task writes, and to its end. */
  first: number;
  end: number;
}

/** How long a `code` task takes to its first byte, beside the least that can be: the interpreter alone, a container alone. */
export const executorStarts: Benchmark = {
  name: 'executors',
  about: 'start of a code task to its first byte, for each level',
  async run(_, { quick }) {
    return { lines: await measureExecutors(quick ? 5 : 21) };
  },
};

/** Levels that this machine has not are left out. */
export async function measureExecutors(rounds: number): Promise<Line[]> {
  const workRoot = mkdtempSync(join(tmpdir(), 'lattice-bench-'));
  const cold = createExecutors({ workerId: 'bench-cold', workRoot, rooms: true });
  const unprepared = createExecutors({ workerId: 'bench-unprepared', workRoot });
  const warm = createExecutors({ workerId: 'bench-warm', workRoot, warmBytes: WARM_BYTES, rooms: true });
  try {
    const lines: Line[] = [];
    for (const level of LEVELS) {
      for (const language of LANGUAGES) {
        if (await canRun(cold, level, language))
          lines.push(...(await measure({ unprepared, cold, warm, level, language, rounds })));
      }
    }
    return lines;
  } finally {
    await Promise.all([unprepared.close(), cold.close(), warm.close()]);
    rmSync(workRoot, { recursive: true, force: true });
  }
}

async function measure(options: {
  unprepared: Executors;
  cold: Executors;
  warm: Executors;
  level: Level;
  language: Language;
  rounds: number;
}): Promise<Line[]> {
  const { unprepared, cold, warm, level, language, rounds } = options;
  const whole = level === 'docker';
  const pause = whole ? DOCKER_PAUSE_MS : PAUSE_MS;
  const bare = await bareStart(level, language);
  const all = { bare: [] as number[], unprepared: [] as Times[], cold: [] as Times[], warm: [] as Times[] };
  for (const one of [unprepared, warm]) await once(one.forTask('code', level), language);
  for (const _ of range(whole ? Math.ceil(rounds / DOCKER_SHARE) : rounds)) {
    all.bare.push(await bare());
    all.cold.push(await once(cold.forTask('code', level), language));
    await sleep(pause);
    if (!whole) {
      all.unprepared.push(await once(unprepared.forTask('code', level), language));
      await sleep(pause);
    }
    all.warm.push(await once(warm.forTask('code', level), language));
    await sleep(pause);
  }
  const name = `${level}, ${language}`;
  const coldFirst = median(all.cold.map(({ first }) => first));
  return [
    atMost(1.2, {
      name: whole ? `${name}: cold, to its end, beside a bare container` : `${name}: cold, beside a bare start`,
      unit: 'ms',
      lattice: whole ? median(all.cold.map(({ end }) => end)) : coldFirst,
      raw: median(all.bare),
    }),
    ...(whole
      ? []
      : [
          justSaid({
            name: `${name}: the same, with nothing set up before`,
            unit: 'ms',
            lattice: median(all.unprepared.map(({ first }) => first)),
            raw: median(all.bare),
          }),
        ]),
    atMost(0.25, {
      name: `${name}: warm, beside cold`,
      unit: 'ms',
      lattice: median(all.warm.map(({ first }) => first)),
      raw: coldFirst,
    }),
  ];
}

async function once(executor: Executor, language: Language): Promise<Times> {
  const start = performance.now();
  let first = Number.NaN;
  const outcome = await executor
    .submit({
      id: 'bench.0.task.1',
      uses: 'code',
      code: { language, source: SOURCES[language] },
      input: null,
      env: {},
      limits: { graceMs: 100, outputBytes: 1_000, logBytes: 1_000, timeoutMs: 30_000 },
      onLog: () => {
        if (Number.isNaN(first)) first = performance.now() - start;
      },
    })
    .result();
  if (outcome.status !== 'completed') throw new Error(`the task did not complete: ${JSON.stringify(outcome)}`);
  return { first, end: performance.now() - start };
}

async function canRun(executors: Executors, level: Level, language: Language): Promise<boolean> {
  return once(executors.forTask('code', level), language).then(
    () => true,
    () => false,
  );
}

/** The least that there is to compare with: an interpreter alone, to its first byte; a container, to its removal. */
async function bareStart(level: Level, language: Language): Promise<() => Promise<number>> {
  const program =
    language === 'python' ? [await pythonOf(level), '-c', 'print("x")'] : [process.execPath, '-e', 'console.log("x")'];
  switch (level) {
    case 'subprocess':
      return () => firstByte(program, {});
    case 'seccomp':
      // The interpreter alone, without any sandbox: as the user that tasks have.
      return () => firstByte(program, process.getuid?.() === 0 ? NOBODY : {});
    case 'docker': {
      const [image, command] = language === 'python' ? ['lattice/python', 'python3'] : ['lattice/node', 'node'];
      return () => timed(() => bareContainer({ Image: image, Entrypoint: [command], Cmd: program.slice(1) }));
    }
  }
}

async function pythonOf(level: Level): Promise<string> {
  if (level === 'seccomp') return '/usr/bin/python3';
  return (await run('python3', ['-c', 'import sys; print(sys.executable)'])).stdout.trim();
}

/** Create, start, wait and remove, by the engine's API. */
async function bareContainer(spec: Record<string, unknown>): Promise<void> {
  const created = await ask('POST', '/containers/create', { ...spec, HostConfig: { NetworkMode: 'none' } });
  const id = /"Id":"(\w+)"/.exec(created)?.[1] ?? '';
  await ask('POST', `/containers/${id}/start`);
  await ask('POST', `/containers/${id}/wait`);
  await ask('DELETE', `/containers/${id}`);
}

function ask(method: string, path: string, body?: unknown): Promise<string> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: '/var/run/docker.sock', method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text));
    });
    call.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function firstByte([file = '', ...args]: string[], user: { uid?: number; gid?: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    let first: number | undefined;
    const child = spawn(file, args, { cwd: '/', env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'inherit'], ...user });
    child.stdout?.once('data', () => (first = performance.now() - start));
    child.once('error', reject);
    child.once('close', () => (first === undefined ? reject(new Error(`${file} wrote nothing`)) : resolve(first)));
  });
}
