import { describeContract } from '../test/contract';
import {
  ECHO,
  NOTHING,
  THROW,
  FOR_GOOD,
  NAN,
  FUNCTION,
  CYCLE,
  STRANGE,
  LARGE,
  LOOP,
  EXIT,
  FORGE,
  LINK,
} from '../test/programs';
import { errorOf, outputOf } from '../test/support';

describeContract('values', ({ level, killable, apart, executor, run, started }) => {
  it('says its level', () => expect(executor().level).toBe(level));

  it('gives back what the program returns', async () => {
    const input = { text: 'h\u00e9 \ud83d\ude00 \ud800', list: [1, 2.5, null, true], deep: { a: { b: {} } } };
    expect(outputOf(await run(ECHO, { input }))).toEqual(input);
  });

  it('counts no value as null', async () => expect(outputOf(await run(NOTHING))).toBeNull());

  it('carries NUL, lone surrogates and small numbers unharmed', async () => {
    expect(outputOf(await run(STRANGE))).toEqual(['\u0000', '\ud800', '\u2028', '\u{1f600}', -0.5e-7]);
  });

  it('reports an exception with its place', async () => {
    const error = errorOf(await run(THROW));
    expect(error).toMatchObject({ code: 'task_failed', message: 'it broke', retryable: true });
    expect(error.details['name']).toBe('TypeError');
    if (killable) expect(error.details['stack']).toMatch(/task\.(mjs:1|py", line 2)/);
  });

  it('believes an exception that says that another attempt is useless', async () => {
    expect(errorOf(await run(FOR_GOOD))).toMatchObject({ message: 'never again', retryable: false });
  });

  it.each([
    ['NaN', NAN, '$.a[1].b is'],
    ['a function', FUNCTION, '$["a b"] is a function'],
    ['a cycle', CYCLE, '$.self[0] refers back'],
  ])('refuses %s, with its place', async (_, programs, place) => {
    const error = errorOf(await run(programs));
    expect(error).toMatchObject({ code: 'output_not_json', retryable: false });
    expect(error.message).toContain(place);
  });

  it('takes an output as large as the limit, and refuses one that is larger', async () => {
    const limits = { outputBytes: 2_000 };
    expect(await run(LARGE, { input: { size: 2_000 }, limits })).toMatchObject({ status: 'completed' });
    const error = errorOf(await run(LARGE, { input: { size: 2_001 }, limits }));
    expect(error).toMatchObject({ code: 'output_too_large', details: { bytes: 2_001, limitBytes: 2_000 } });
  });

  it('F1, LT-18, LT-T2: answers wait(0) at once, while it runs and when it has ended', async () => {
    const { handle } = await started(LOOP);
    // At once: before anything else has its turn.
    let turns = 0;
    const counting = setImmediate(() => (turns += 1));
    expect(await handle.wait(0)).toEqual({ state: 'pending' });
    expect(turns).toBe(0);
    clearImmediate(counting);
    expect(await handle.wait(30)).toEqual({ state: 'pending' });
    await handle.cancel('enough');
    expect(handle.outcome).toEqual({ status: 'cancelled' });
    expect(await handle.wait(0)).toEqual({ state: 'done', outcome: { status: 'cancelled' } });
  });

  // What a function of the worker can't be made to do.
  if (!killable) return;

  it('takes an exit before the value as a failure, also with code 0', async () => {
    const zero = errorOf(await run(EXIT, { input: { code: 0 } }));
    expect(zero).toMatchObject({ code: 'task_failed', message: 'exited before returning a value' });
    const three = errorOf(await run(EXIT, { input: { code: 3 } }));
    expect(three).toMatchObject({ code: 'task_failed', details: { exitCode: 3, stderr: 'leaving\n' } });
  });

  // A thread has the open files of the worker: it would write to those.
  if (apart)
    it('refuses garbage in the place of the output', async () => {
      expect(errorOf(await run(FORGE)).code).toBe('output_not_json');
    });

  it('does not follow a link in the place of the output', async () => {
    // A sandbox has a file in that place, which can't be taken away.
    expect(errorOf(await run(LINK)).message).toMatch(
      level === 'subprocess' || level === 'none' ? /not a regular file/ : /file exists|file already exists/i,
    );
  });
});
