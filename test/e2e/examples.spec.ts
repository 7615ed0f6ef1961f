import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { eventually } from '../support/eventually';
import { ordersOf, tfIdf } from './support/expected';
import { javascript } from './support/documents';
import { startPlatform, type Platform } from './support/platform';
import { lattice, root, runToEnd, type Ended } from './support/programs';

const examples = join(root, 'examples');
let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform({ LATTICE_SCRIPTS: join(examples, 'scripts') });
});
afterAll(async () => platform?.stop());

/** Runs the command that the comment at the top of an example gives, as a user would paste it. */
async function runAsDocumented(file: string): Promise<Ended> {
  const command = /^# {3}(npx lattice run .*)$/m.exec(readFileSync(join(examples, file), 'utf8'))?.[1];
  if (command === undefined) throw new Error(`${file} does not say how to run it`);
  return runToEnd('sh', ['-c', `${command} --json`], platform.env);
}

function outputsOf<T>({ stdout, stderr, code }: Ended, schema: z.ZodType<T>): T {
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}${stdout}`);
  return z.object({ status: z.literal('completed'), outputs: schema }).parse(JSON.parse(stdout)).outputs;
}

function cli(...args: string[]): Promise<Ended> {
  return runToEnd(...lattice(args, platform.env));
}

describe('examples', () => {
  it('hello.yaml prints HELLO WORLD and 11 on the command line', async () => {
    const { code, stdout } = await cli('run', 'examples/hello.yaml');
    expect(stdout).toContain('"text": "HELLO WORLD"');
    expect(stdout).toContain('"length": 11');
    expect(code).toBe(0);
  });

  it('hello.yaml gives HELLO WORLD and 11 over REST, as YAML and as JSON', async () => {
    const body = readFileSync(join(examples, 'hello.yaml'), 'utf8');
    const answer = await platform.api.call('/v1/runs', { headers: { 'Content-Type': 'application/yaml' }, body });
    expect(answer.status).toBe(202);
    const { runId } = z.object({ runId: z.uuid() }).parse(answer.json());
    expect(answer.headers.get('location')).toBe(`/v1/runs/${runId}`);
    const run = await platform.api.wait(runId);
    expect(run).toMatchObject({ status: 'completed', outputs: { text: 'HELLO WORLD', length: 11 } });
    expect(run.tasks.map(({ key, status, attempts }) => [key, status, attempts])).toEqual(
      ['greet', 'left', 'right', 'join'].map((key) => [key, 'completed', 1]),
    );
    const saved = await platform.api.call('/v1/workflows', { headers: { 'Content-Type': 'application/yaml' }, body });
    expect(saved.status).toBe(201);
    const named = await platform.api.wait(await platform.api.submit('hello', { who: 'you' }));
    expect(named.outputs).toEqual({ text: 'HELLO YOU', length: 9 });
  });

  it('review.yaml asks when a number is odd, and goes on when it is approved', async () => {
    const even = outputsOf(await runAsDocumented('review.yaml'), z.object({ total: z.number() }));
    expect(even).toEqual({ total: 12 });
    const started = await cli('run', 'examples/review.yaml', '--input', 'numbers=[2,3]', '--detach', '--json');
    const { runId } = z.object({ runId: z.uuid() }).parse(JSON.parse(started.stdout));
    await eventually('it waits', async () => ((await platform.api.run(runId)).status === 'waiting' ? true : undefined));
    expect((await cli('runs', 'approve', runId, 'ask', '--comment', 'fine')).code).toBe(0);
    const run = await platform.api.wait(runId);
    expect(run).toMatchObject({ status: 'completed', outputs: { total: 5 } });
    expect(run.tasks.find(({ key }) => key === 'ask')?.output).toMatchObject({ approved: true, comment: 'fine' });
  });

  it('text-analysis.yaml finds the terms and the pair that an independent computation finds', async () => {
    const outputs = outputsOf(
      await runAsDocumented('text-analysis.yaml'),
      z.object({
        documents: z.number(),
        words: z.number(),
        vocabulary: z.number(),
        keyTerms: z.record(z.string(), z.array(z.string())),
        closest: z.object({ a: z.string(), b: z.string(), similarity: z.number() }),
        table: z.array(z.string()),
      }),
    );
    const expected = tfIdf(join(examples, 'data', 'documents'));
    expect(outputs).toMatchObject({ documents: 12, words: expected.words, vocabulary: expected.vocabulary });
    expect(outputs.table).toHaveLength(12);
    for (const [name, terms] of Object.entries(outputs.keyTerms)) {
      expect(terms.map((term) => expected.weightOf(name, term))).toEqual(
        expected.heaviest(name, 5).map((weight): unknown => expect.closeTo(weight, 9)),
      );
    }
    expect(outputs.closest).toEqual({
      ...expected.closest,
      similarity: expect.closeTo(expected.closest.similarity, 9) as unknown,
    });
  });

  it('csv-diamond.yaml gives the sums that an independent computation gives', async () => {
    const group = z.record(z.string(), z.object({ orders: z.number(), quantity: z.number(), cents: z.number() }));
    const outputs = outputsOf(
      await runAsDocumented('csv-diamond.yaml'),
      z.object({
        orders: z.number(),
        quantity: z.number(),
        revenue: z.number(),
        best: z.record(z.string(), z.string()),
        rejected: z.record(z.string(), z.number()),
        byCountry: group,
        byProduct: group,
        byMonth: group,
      }),
    );
    expect(outputs).toEqual(ordersOf(join(examples, 'data', 'orders.csv')));
  });

  it('scripts.yaml counts with the files of a folder, one of which ends with an exit code that is no failure', async () => {
    const schema = z.object({ words: z.number(), letters: z.number(), verdict: z.string() });
    const outputs = outputsOf(await runAsDocumented('scripts.yaml'), schema);
    expect(outputs).toEqual({ words: 5, letters: 15, verdict: 'repeats itself' });
    const plain = await cli('run', 'examples/scripts.yaml', '--input', 'text=all of it once', '--json');
    expect(outputsOf(plain, schema)).toEqual({ words: 4, letters: 11, verdict: 'says all once' });
  });

  it('keeps its generated files as their scripts make them', async () => {
    const files = ['data/orders.csv', 'text-analysis.inputs.json'].map((file) => join(examples, file));
    const before = files.map((file) => readFileSync(file, 'utf8'));
    for (const script of ['make-orders.mjs', 'make-inputs.mjs']) {
      const { code } = await runToEnd(process.execPath, [join(examples, 'data', script)], platform.env);
      expect(code).toBe(0);
    }
    expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual(before);
  });
});

describe('exit codes of `lattice run`', () => {
  const asYaml = (document: unknown): Promise<Ended> =>
    runToEnd('sh', ['-c', `printf '%s' "$DOCUMENT" | "${process.execPath}" libs/cli/bin/lattice.js run -`], {
      ...platform.env,
      DOCUMENT: JSON.stringify(document),
    });

  it('is 1 for a failed run, and the error and the log of its task are shown', async () => {
    const source = `export default () => { console.log('I tried'); throw new Error('no luck today'); }`;
    const { code, stdout } = await asYaml({ name: 'fails', tasks: { bad: javascript(source) } });
    expect(stdout).toContain('no luck today');
    expect(stdout).toContain('I tried');
    expect(stdout).toContain('task_failed');
    expect(code).toBe(1);
  });

  it('is 1 for a cancelled run', async () => {
    const source = 'export default () => new Promise((done) => setTimeout(done, 600_000))';
    const runId = await platform.api.submit({ name: 'long', tasks: { a: javascript(source) } });
    const watching = cli('runs', 'watch', runId);
    expect((await platform.api.call(`/v1/runs/${runId}/cancel`, { method: 'POST' })).status).toBe(202);
    expect((await watching).code).toBe(1);
    expect((await platform.api.run(runId)).status).toBe('cancelled');
  });

  it('is 2 for a document with faults, with file, line and hint', async () => {
    const { code, stderr } = await asYaml({ name: 'x', tasks: { a: { uses: 'cod' } } });
    expect(stderr).toContain('unknown_uses');
    expect(stderr).toMatch(/stdin:1:\d+/);
    expect(code).toBe(2);
  });

  it.each([
    [['run', 'examples/csv-diamond.yaml'], /needs the input "file"/],
    [['run', 'examples/nope.yaml'], /no such file/],
    [['run', 'nope'], /no workflow "nope"/],
  ])('is 2 for %j', async (args, says) => {
    const { code, stderr } = await cli(...args);
    expect(stderr).toMatch(says);
    expect(code).toBe(2);
  });

  it('is 2 for a wrong key, and says where keys come from', async () => {
    const { code, stderr } = await runToEnd(
      ...lattice(['run', 'examples/hello.yaml'], { ...platform.env, LATTICE_API_KEY: 'lat_wrong' }),
    );
    expect(stderr).toContain('--api-key');
    expect(code).toBe(2);
  });

  it('is 3 when nothing answers, and says how to start a platform', async () => {
    const { code, stderr } = await runToEnd(
      ...lattice(['run', 'examples/hello.yaml'], { ...platform.env, LATTICE_URL: 'http://127.0.0.1:1' }),
    );
    expect(stderr).toContain('http://127.0.0.1:1');
    expect(stderr).toContain('lattice up');
    expect(code).toBe(3);
  });
});
