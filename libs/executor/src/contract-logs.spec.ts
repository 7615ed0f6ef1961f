import { describeContract } from '../test/contract';
import { SPEAK, CHATTER, ENVIRONMENT } from '../test/programs';
import { collector, outputOf } from '../test/support';

describeContract(
  'logs',
  ({ run }) => {
    it('streams both logs, with characters whole', async () => {
      const log = collector();
      await run(SPEAK, { onLog: log.onLog });
      expect(log.text('stdout')).toBe(`one\n${'\u{1f600}'.repeat(30_000)}\nno end`);
      expect(log.text('stderr')).toBe('two\n');
    });

    it('cuts a log at its limit, says so, and lets the program go on', async () => {
      const log = collector();
      expect(outputOf(await run(CHATTER, { limits: { logBytes: 10_001 }, onLog: log.onLog }))).toBe('done');
      const lines = log.text().split('\n');
      expect(lines.at(-2)).toBe('[lattice] log cut: the limit is 10001 bytes');
      expect(log.text()).not.toContain('\ufffd');
      expect(Buffer.byteLength(log.text())).toBeLessThan(10_001 + 60);
      expect(Buffer.byteLength(log.text())).toBeGreaterThan(10_000);
    });

    it('waits for a slow reader of the log, and loses nothing', async () => {
      let text = '';
      let inside = 0;
      const onLog = async (chunk: { text: string }) => {
        expect(++inside).toBe(1);
        await new Promise(setImmediate);
        text += chunk.text;
        inside--;
      };
      expect(outputOf(await run(CHATTER, { onLog }))).toBe('done');
      expect(text.split('\n')).toHaveLength(5_001);
    });

    it('is not disturbed by a reader of the log that throws', async () => {
      const onLog = () => {
        throw new Error('the sink is full');
      };
      expect(outputOf(await run(CHATTER, { onLog }))).toBe('done');
    });

    it('gives the environment asked for, and nothing of the worker', async () => {
      process.env['LATTICE_TEST_SECRET'] = 'of the worker';
      try {
        const env = { GIVEN: 'a=b\nc', LATTICE_OUTPUT: '/nowhere' };
        const output = outputOf(await run(ENVIRONMENT, { env }));
        expect(output).toMatchObject({ GIVEN: 'a=b\nc' });
        expect(JSON.stringify(output)).not.toMatch(/of the worker|NODE_|JEST/);
      } finally {
        delete process.env['LATTICE_TEST_SECRET'];
      }
    });
  },
  'code',
);
