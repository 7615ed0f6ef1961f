import { EventSequence } from './event-sequence';

const ids = (...numbers: number[]) => numbers.map((id) => ({ id: String(id) }));

describe('EventSequence', () => {
  it('begins anywhere, and goes on while no number is left out', () => {
    const sequence = new EventSequence();
    expect(sequence.continues(ids(41, 42))).toBe(true);
    expect(sequence.continues(ids(43))).toBe(true);
    expect(sequence.continues([])).toBe(true);
    expect(sequence.continues(ids(44, 45, 46))).toBe(true);
  });

  it('notices a hole between messages and within one, once', () => {
    const sequence = new EventSequence();
    sequence.continues(ids(1));
    expect(sequence.continues(ids(3))).toBe(false);
    expect(sequence.continues(ids(4))).toBe(true);
    expect(sequence.continues(ids(5, 7))).toBe(false);
  });

  it('takes numbers that come late or twice for what they are', () => {
    const sequence = new EventSequence();
    sequence.continues(ids(5, 6));
    expect(sequence.continues(ids(3, 4))).toBe(true);
    expect(sequence.continues(ids(7))).toBe(true);
  });

  it('goes on from where it is told that nothing is missing', () => {
    const sequence = new EventSequence();
    expect(sequence.last).toBeUndefined();
    sequence.reach(7n);
    expect(sequence.continues(ids(9))).toBe(false);
    sequence.reach(4n);
    expect(sequence.last).toBe(9n);
    expect(sequence.continues(ids(10))).toBe(true);
  });

  it('trusts nothing without a number', () => {
    expect(new EventSequence().continues([{ id: 'x' }])).toBe(false);
    expect(new EventSequence().continues([null])).toBe(false);
  });
});
