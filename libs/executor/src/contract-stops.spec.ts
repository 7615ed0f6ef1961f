import { describeContract } from '../test/contract';
import { NOTHING, LOOP, DEAF, POLITE, HUNGRY, CHILDREN } from '../test/programs';
import { errorOf, MEBIBYTE } from '../test/support';

describeContract('stops', ({ killable, apart, executor, program, run, started }) => {
  it('ends at its time limit, and says so', async () => {
    const before = performance.now();
    const error = errorOf(await run(LOOP, { limits: { timeoutMs: 1_500, graceMs: 200 } }));
    expect(error).toMatchObject({ code: 'timeout', retryable: true, details: { timeoutMs: 1_500 } });
    expect(performance.now() - before).toBeLessThan(1_500 + 200 + 2_000);
  });

  it('lets a program that heeds the request end in order', async () => {
    const { handle, log } = await started(POLITE, { limits: { graceMs: 5_000 } });
    const before = performance.now();
    await handle.cancel('enough');
    expect(performance.now() - before).toBeLessThan(2_000);
    expect(log.text()).toContain('bye');
    expect(await handle.result()).toEqual({ status: 'cancelled' });
  });

  it('keeps the outcome of what has ended when it is cancelled later', async () => {
    const handle = executor().submit(program(NOTHING));
    await handle.result();
    await handle.cancel('too late');
    expect(await handle.result()).toMatchObject({ status: 'completed' });
  });

  // What a function of the worker can't be made to do.
  if (!killable) return;

  it('cancels before the start', async () => {
    const handle = executor().submit(program(LOOP));
    await handle.cancel('at once');
    expect(await handle.result()).toEqual({ status: 'cancelled' });
  });

  it('kills what ignores SIGTERM after the grace', async () => {
    const { handle, log } = await started(DEAF, { limits: { graceMs: 300 } });
    const before = performance.now();
    await handle.cancel('enough');
    expect(performance.now() - before).toBeGreaterThan(290);
    expect(performance.now() - before).toBeLessThan(300 + 2_000);
    expect(await handle.result()).toEqual({ status: 'cancelled' });
    expect(log.text()).toContain('no\n');
  });

  // A thread is held to its heap alone.
  if (apart)
    it.each([32, 1])('names the memory limit that was passed, in steps of %d MiB', async (step) => {
      const given = { input: { step: step * MEBIBYTE }, limits: { memoryBytes: 96 * MEBIBYTE } };
      const error = errorOf(await run(HUNGRY, given));
      expect(error).toMatchObject({ code: 'out_of_memory', retryable: true });
      expect(error.message + JSON.stringify(error.details)).toContain(String(96 * MEBIBYTE));
    });

  it.each([true, false])('leaves no child behind (stopped: %s)', async (wait) => {
    const { handle } = await started(CHILDREN, { input: { wait } });
    if (wait) await handle.cancel('enough');
    expect((await handle.result()).status).toBe(wait ? 'cancelled' : 'completed');
    // afterEach looks for processes with the mark.
  });
});
