import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RUN_ID, startContractServer, type ContractServer, type Line } from '../test/contract-server';

const bin = join(__dirname, '..', 'bin', 'lattice.js');
const error = { code: 'task_failed', message: 'no rows', retryable: true };

const begun: Line[] = [
  { type: 'run.created', data: { workflow: 'hello' } },
  { type: 'run.started' },
  { type: 'task.started', taskKey: 'greet', attempt: 1, data: { workerId: 'w1' } },
  { type: 'task.log', taskKey: 'greet', attempt: 1, data: { stream: 'stdout', text: 'working\n' } },
];
const completed: Line[] = [
  ...begun,
  { type: 'task.completed', taskKey: 'greet', attempt: 1, data: { output: 'HI' } },
  { type: 'run.completed', data: { outputs: { text: 'HI' } } },
];
const failed: Line[] = [
  ...begun,
  { type: 'task.failed', taskKey: 'greet', attempt: 1, data: { error } },
  { type: 'run.failed', data: { error: { code: 'run_failed', message: 'task greet failed', retryable: false } } },
];

let folder: string;
let server: ContractServer | undefined;
let children: ChildProcess[] = [];

beforeAll(() => {
  if (!existsSync(join(__dirname, '..', 'dist', 'main.js'))) throw new Error('build first: npm run build');
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lattice-cli-'));
  writeFileSync(
    join(folder, 'hello.yaml'),
    'name: hello\ninputs:\n  who: { type: string }\ntasks:\n  greet: { uses: handler/greet }\n',
  );
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true });
});

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

/** Starts the command in an empty folder with nothing in its environment but the address. */
function start(args: string[], onOutput?: (out: string, child: ChildProcess) => void): Promise<Ended> {
  const env: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    HOME: folder,
    LATTICE_URL: server?.url ?? 'http://127.0.0.1:1',
  };
  if (server) env['LATTICE_API_KEY'] = server.key;
  const child = spawn(process.execPath, [bin, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const ended: Ended = { code: null, out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    ended.out += chunk.toString();
    onOutput?.(ended.out, child);
  });
  child.stderr.on('data', (chunk: Buffer) => (ended.err += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ ...ended, code })));
}

describe('lattice run', () => {
  it('prints a line per event, the logs and the outputs, and ends with 0', async () => {
    server = await startContractServer(completed);
    const { code, out, err } = await start([
      'run',
      'hello.yaml',
      '--input',
      'who=007',
      '-t',
      'nightly',
      '--priority',
      '-5',
      '--delay',
      '1s',
    ]);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toMatch(/^\+0\.\d{3}s run\.created hello /);
    expect(out).toContain('greet │ working\n');
    expect(out).toMatch(/task\.completed greet \(\d+ ms\)/);
    expect(out).toContain('outputs\n{\n  "text": "HI"\n}');
    const submitted = server.calls.find(({ call }) => call === 'POST /v1/runs');
    expect(JSON.parse(submitted?.body ?? '')).toMatchObject({
      inputs: { who: '007' },
      tags: ['nightly'],
      priority: -5,
      delay: '1s',
    });
    expect(submitted?.headers['idempotency-key']).toBeDefined();
  });

  it('takes the types of a saved workflow, and hides logs with --quiet', async () => {
    server = await startContractServer(completed);
    const { code, out } = await start(['run', 'hello', '-i', 'who=7', '--quiet', '--idempotency-key', 'k1']);
    expect(code).toBe(0);
    expect(out).not.toContain('│ working');
    const submitted = server.calls.find(({ call }) => call === 'POST /v1/runs');
    expect(JSON.parse(submitted?.body ?? '')).toEqual({ workflow: 'hello', inputs: { who: '7' } });
    expect(submitted?.headers['idempotency-key']).toBe('k1');
  });

  it('ends with 1 when the run failed, and says why', async () => {
    server = await startContractServer(failed);
    const { code, out } = await start(['run', 'hello.yaml']);
    expect(code).toBe(1);
    expect(out).toContain('✖ greet  task_failed\n  no rows\n  hint: The task itself failed; its log says more.');
    expect(out).toContain('last lines of its log:\n    working');
  });

  it('prints one JSON document with --json', async () => {
    server = await startContractServer(failed);
    const { code, out, err } = await start(['run', 'hello.yaml', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ runId: RUN_ID, status: 'failed', tasks: [{ key: 'greet', error }] });
    expect(err).toBe('');
  });

  it('prints the id only with --detach', async () => {
    server = await startContractServer(completed);
    expect(await start(['run', 'hello.yaml', '--detach'])).toEqual({ code: 0, out: `${RUN_ID}\n`, err: '' });
  });

  it('ends with 2 and all faults with their lines when the document is refused', async () => {
    server = await startContractServer(completed);
    writeFileSync(
      join(folder, 'bad.yaml'),
      'name: bad\ntasks:\n  a:\n    uses: handler/x\n    needs: [nope]\n  b: { uses: handler/x, needs: [no] }\n',
    );
    const { code, err } = await start(['run', 'bad.yaml']);
    expect(code).toBe(2);
    expect(err).toContain('bad.yaml has 2 faults.');
    expect(err).toContain('✖ bad.yaml:5:13 unknown_dependency /tasks/a/needs/0');
    expect(err).toContain('✖ bad.yaml:6:33 unknown_dependency /tasks/b/needs/0');
    const json = await start(['run', 'bad.yaml', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({
      error: { code: 'invalid_document', faults: [{ place: { line: 5 } }, {}] },
    });
  });

  it('stops watching at Ctrl-C, and says how to go on', async () => {
    server = await startContractServer(begun);
    const { code, err } = await start(['run', 'hello.yaml'], (out, child) => {
      if (out.includes('│ working')) child.kill('SIGINT');
    });
    expect(code).toBe(130);
    expect(err).toContain(`lattice runs cancel ${RUN_ID}`);
    expect(server.calls.some(({ call }) => call.includes('cancel'))).toBe(false);
  });

  it('ends with 1 when the run is cancelled', async () => {
    server = await startContractServer(begun);
    const { code } = await start(['run', 'hello.yaml'], (out) => {
      if (out.includes('│ working')) void start(['runs', 'cancel', RUN_ID]);
    });
    expect(code).toBe(1);
  });
});

describe('exit codes', () => {
  it('are 3 when nobody answers', async () => {
    const { code, err } = await start(['run', 'hello.yaml']);
    expect(code).toBe(3);
    expect(err).toMatch(
      /no answer from http:\/\/127\.0\.0\.1:1: [^]*The address is from LATTICE_URL\. Start a platform with `lattice up`/,
    );
  });

  it.each([
    ['no command', []],
    ['an unknown command', ['nonsense']],
    ['an unknown option', ['run', 'hello.yaml', '--fast']],
    ['a missing argument', ['run']],
    ['a bad priority', ['run', 'hello.yaml', '--priority', '5000']],
    ['a bad delay', ['run', 'hello.yaml', '--delay', 'soon']],
    ['a missing file', ['run', 'no.yaml']],
    ['a bad status', ['runs', 'list', '--status', 'gone']],
    ['--exit without a run', ['up', '--exit']],
  ])('are 2 for %s', async (_, args) => {
    const { code, err } = await start(args);
    expect(code).toBe(2);
    expect(err).not.toBe('');
  });

  it('are 2 for a run that is not there and for a wrong key', async () => {
    server = await startContractServer([]);
    const missing = await start(['runs', 'get', '0199a1b2-0000-7000-8000-00000000000f']);
    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining('run_not_found') as string });
    const wrong = await start(['--api-key', 'no', 'runs', 'list']);
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('LATTICE_API_KEY') as string });
  });

  it('are 0 for help', async () => {
    expect((await start(['--help'])).code).toBe(0);
    expect((await start(['runs', 'list', '--help'])).code).toBe(0);
  });
});

describe('lattice import', () => {
  const instance = {
    name: 'an instance',
    schemaVersion: '1.5',
    workflow: {
      specification: {
        tasks: [
          { name: 'a', id: 'a-1', parents: [], children: ['b'] },
          { name: 'b', id: 'b', parents: ['a-1'], children: [] },
        ],
      },
      execution: {
        tasks: [
          { id: 'a-1', runtimeInSeconds: 2 },
          { id: 'b', runtimeInSeconds: 4 },
        ],
      },
    },
  };

  beforeEach(() => writeFileSync(join(folder, 'instance.json'), JSON.stringify(instance, null, 2)));

  it('prints the document, and what it left out on stderr', async () => {
    const { code, out, err } = await start([
      'import',
      'wfformat',
      'instance.json',
      '--body',
      'sleep',
      '--scale',
      '0.5',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      name: 'an-instance',
      tasks: { a_1: { with: { input: 1000 } }, b: { needs: ['a_1'], with: { input: 2000 } } },
    });
    expect(err).toContain('note The workflow "an instance" is named "an-instance" here.\n');
    expect(err).toContain('  a-1 -> a_1\n');
  });

  it('writes YAML or JSON that validates', async () => {
    for (const file of ['out.yaml', 'out.json']) {
      const { code, out, err } = await start(['import', 'wfformat', 'instance.json', '--out', file]);
      expect({ code, out }).toEqual({ code: 0, out: '' });
      expect(err).toContain(`✔ ${file}: an-instance, 2 tasks`);
      expect(await start(['validate', file])).toMatchObject({ code: 0 });
    }
  });

  it('prints one JSON document with --json', async () => {
    const { out, err } = await start(['import', 'wfformat', 'instance.json', '--handler', 'noop', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      workflow: { tasks: { b: { uses: 'handler/noop' } } },
      keys: { 'a-1': 'a_1' },
    });
    expect(err).toBe('');
  });

  it('runs what it imported with --run', async () => {
    server = await startContractServer(completed);
    const { code, out } = await start(['import', 'wfformat', 'instance.json', '--run']);
    expect(code).toBe(0);
    expect(out).toContain('task.completed greet');
    const submitted = server.calls.find(({ call }) => call === 'POST /v1/runs');
    expect(JSON.parse(submitted?.body ?? '')).toMatchObject({ workflow: { name: 'an-instance' } });
  });

  it('ends with 2 and the places of the faults', async () => {
    const [first] = instance.workflow.specification.tasks;
    const bad = { ...instance, workflow: { specification: { tasks: [{ ...first, parents: ['gone'] }] } } };
    writeFileSync(join(folder, 'bad.json'), JSON.stringify(bad, null, 2));
    const { code, err } = await start(['import', 'wfformat', 'bad.json']);
    expect(code).toBe(2);
    expect(err).toContain('bad.json has 2 faults.');
    expect(err).toContain('✖ bad.json:11:13 unknown_dependency /workflow/specification/tasks/0/parents/0');
    expect(await start(['import', 'nothing', 'bad.json'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('there are: wfformat') as string,
    });
    expect(await start(['import', 'wfformat', 'hello.yaml', '--scale', '-1'])).toMatchObject({ code: 2 });
    expect(await start(['import', 'wfformat', 'hello.yaml'])).toMatchObject({ code: 2 });
  });
});

describe('without a platform', () => {
  it('validates and explains files', async () => {
    expect(await start(['validate', 'hello.yaml'])).toEqual({ code: 0, out: '✔ hello.yaml is valid\n', err: '' });
    expect((await start(['explain', 'hello.yaml'])).out).toContain('Graph\n  greet');
    expect(JSON.parse((await start(['explain', 'hello.yaml', '--json'])).out)).toHaveProperty('segments');
    writeFileSync(join(folder, 'bad.yaml'), 'name: bad\ntasks:\n  a: { uses: nothing }\n');
    expect(await start(['validate', 'bad.yaml'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('bad.yaml:3:8 unknown_uses') as string,
    });
    const json = await start(['validate', 'bad.yaml', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ valid: false, faults: [{ code: 'unknown_uses' }] });
    writeFileSync(join(folder, 'broken.yaml'), 'name: [\n');
    expect(await start(['validate', 'broken.yaml'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('broken.yaml') as string,
    });
  });
});
