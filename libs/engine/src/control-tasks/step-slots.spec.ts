import fc from 'fast-check';
import { BESIDE, SLOTS, StepSlots } from './step-slots';

/** A step that waits until it is told to end. */
function waiting(): { step: () => Promise<void>; end: () => void } {
  let end = (): void => undefined;
  const over = new Promise<void>((resolve) => (end = resolve));
  return { step: () => over, end };
}

describe('StepSlots', () => {
  const fill = (slots: StepSlots): number => {
    let count = 0;
    while (slots.reserve() !== 'full') count += 1;
    return count;
  };

  it('has few places, and more while steps wait for others, up to a bound', () => {
    const slots = new StepSlots(() => undefined);
    expect(fill(slots)).toBe(SLOTS);
    for (let more = 1; more <= BESIDE; more += 1) {
      void slots.beside(waiting().step);
      expect(fill(slots)).toBe(1);
    }
    void slots.beside(waiting().step);
    expect(fill(slots)).toBe(0);
  });

  it('tells that there is a place again when somebody was refused, and only then', () => {
    let told = 0;
    const slots = new StepSlots(() => (told += 1));
    slots.reserve();
    void slots.beside(waiting().step);
    expect(told).toBe(0);
    fill(slots);
    void slots.beside(waiting().step);
    expect(told).toBe(1);
  });

  it('lets nobody go on in a place that was lent when its owner is back', async () => {
    const slots = new StepSlots(() => undefined);
    fill(slots);
    const { step, end } = waiting();
    const lent = slots.beside(step);
    expect(slots.reserve()).not.toBe('full');
    end();
    await lent;
    expect(slots.mayGoOn()).toBe(false);
    slots.giveBack();
    expect(slots.mayGoOn()).toBe(true);
    expect(slots.reserve()).toBe('full');
  });

  it('has all its places again when everybody has gone, whatever came before', async () => {
    const act = fc.constantFrom('take', 'leave', 'wait', 'come back');
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 200 }), async (acts) => {
        const slots = new StepSlots(() => undefined);
        const lent: { end: () => void; over: Promise<unknown> }[] = [];
        let working = 0;
        for (const one of acts) {
          if (one === 'take' && slots.reserve() !== 'full') working += 1;
          if (one === 'leave' && working > 0) {
            slots.giveBack();
            working -= 1;
          }
          if (one === 'wait' && working > 0) {
            const { step, end } = waiting();
            lent.push({ end, over: slots.beside(step) });
            working -= 1;
          }
          if (one.startsWith('come') && lent.length > 0) {
            const back = lent.shift();
            back?.end();
            await back?.over;
            working += 1;
          }
          expect(working + lent.length).toBeLessThanOrEqual(SLOTS + BESIDE);
        }
        for (const { end, over } of lent) {
          end();
          await over;
          working += 1;
        }
        for (; working > 0; working -= 1) slots.giveBack();
        expect(fill(slots)).toBe(SLOTS);
      }),
    );
  });
});
