import { once } from 'node:events';
import { createServer } from 'node:http';
import { Writable } from 'node:stream';
import { runCommandLine } from './program';

class Kept extends Writable {
  text = '';
  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

async function lattice(args: string[], env: Record<string, string> = {}) {
  const [out, err] = [new Kept(), new Kept()];
  const code = await runCommandLine(args, { env, cwd: __dirname, out, err });
  return { code, out: out.text, err: err.text };
}

it.each([
  ['an unknown option', ['run', 'x.yaml', '--fast', '--json'], /^unknown option '--fast'/],
  ['a missing argument', ['--json', 'run'], /^missing required argument/],
  ['a value that is none', ['runs', 'list', '--limit', '0', '--json'], /positive integer/],
  ['an unknown command', ['nonsense', '--json'], /^unknown command 'nonsense'/],
  ['no command', ['runs', '--json'], /^no command is given/],
  ['what a command refuses', ['up', '--exit', '--json'], /^--exit ends after a run/],
])('with --json %s is told as one JSON document, too', async (_name, args, says) => {
  const { code, out, err } = await lattice(args);
  expect(JSON.parse(out)).toEqual({ error: { code: 'bad_request', message: expect.stringMatching(says), faults: [] } });
  expect(err).toBe('');
  expect(code).toBe(2);
});

it('without --json, and where it is a value, mistakes are told to people', async () => {
  for (const args of [['run'], ['run', 'x.yaml', '--fast', '--', '--json']]) {
    const { code, out, err } = await lattice(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^error: [^]*--help shows how to use it/);
  }
});

it('lists more runs than a page holds', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams;
    const limit = Number(query.get('limit'));
    asked.push(`${limit} before ${query.get('before')}`);
    const runs = Array.from({ length: limit }, () => SUMMARY);
    response.statusCode = limit > 1_000 ? 400 : 200;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ runs, next: `n${asked.length}` }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const { code, out, err } = await lattice(['runs', 'list', '--limit', '2300', '--json'], { LATTICE_URL: url });
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ runs: { length: 2_300 }, next: 'n3' });
    expect(asked).toEqual(['1000 before null', '1000 before n1', '300 before n2']);
  } finally {
    server.close();
  }
});

const SUMMARY = {
  runId: '0199a1b2-0000-7000-8000-00000000000f',
  workflow: 'w',
  version: null,
  status: 'completed',
  priority: 0,
  tags: [],
  createdAt: '2026-01-01T00:00:00.000Z',
  startedAt: null,
  finishedAt: null,
};
