import { Turns } from './turns';

/** Does nothing but use time, as many followers do. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('Turns', () => {
  it('calls all in one turn, each once, however often it was planned', async () => {
    const turns = new Turns();
    const calls: string[] = [];
    const a = () => calls.push('a');
    const done = new Promise<void>((resolve) => {
      const b = () => resolve(void calls.push('b'));
      for (let round = 0; round < 5; round += 1) [a, b].forEach((act) => turns.plan(act));
    });
    expect(calls).toEqual([]);
    await done;
    expect(calls).toEqual(['a', 'b']);
  });

  it('takes what is planned in a turn in the next one', async () => {
    const turns = new Turns();
    let rounds = 0;
    await new Promise<void>((resolve) => {
      const again = () => {
        rounds += 1;
        if (rounds === 100) resolve();
        else turns.plan(again);
      };
      turns.plan(again);
    });
    expect(rounds).toBe(100);
  });

  it('pauses after a turn that took long, but never for long, and joins what comes meanwhile', async () => {
    const turns = new Turns();
    const pauseAfter = (ms: number) =>
      new Promise<{ pause: number; joined: number }>((resolve) => {
        let joined = 0;
        turns.plan(() => {
          work(ms);
          const end = performance.now();
          const more = setInterval(() => turns.plan(() => (joined += 1)), 1);
          turns.plan(() => {
            clearInterval(more);
            setImmediate(() => resolve({ pause: performance.now() - end, joined }));
          });
        });
      });
    // The machine may have other work in between, though hardly each time.
    const after = async (ms: number, tries: number): Promise<{ pause: number; joined: number }[]> => {
      const all: { pause: number; joined: number }[] = [];
      for (let n = 0; n < tries; n += 1) all.push(await pauseAfter(ms));
      return all;
    };
    const some = await after(6, 20);
    const [median] = some
      .map(({ pause }) => pause)
      .sort((a, b) => a - b)
      .slice(10);
    expect(median).toBeGreaterThanOrEqual(1);
    expect(Math.max(...some.map(({ joined }) => joined))).toBeGreaterThan(0);
    // Were there no bound, each would be 300.
    expect(Math.min(...(await after(300, 4)).map(({ pause }) => pause))).toBeLessThan(150);
  });
});
