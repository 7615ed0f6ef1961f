import type { RunEvent } from '@lattice/contracts';
import { textFrame } from '../socket/text-frame';
import { framesOfEvents } from './event-text';

const event = (id: number, text = ''): RunEvent => ({
  id: String(id),
  type: 'task.log',
  runId: 'r',
  taskKey: 'a',
  attempt: 1,
  at: '2026-01-01T00:00:00.000Z',
  data: { text },
});
const plain = (events: readonly RunEvent[]) => Buffer.concat(events.map((each) => textFrame(JSON.stringify(each))));

describe('framesOfEvents', () => {
  it('joins the frames of events, and makes them once for all who are given the same', () => {
    const events = [event(1), event(2), event(3)];
    const [frames, ...more] = framesOfEvents([...events]);
    expect(more).toEqual([]);
    expect(frames).toEqual(plain(events));
    expect(framesOfEvents([...events])[0]).toBe(frames);
  });

  it('gives those who are less or further ahead their own', () => {
    const [a, b, c] = [event(1), event(2), event(3)];
    for (const events of [[a, b, c], [a, b], [b, c], [a, c], [c], [a, b, c], []])
      expect(Buffer.concat(framesOfEvents(events))).toEqual(plain(events));
  });

  it('makes no buffer of more than 256 KiB, but of an event that is larger', () => {
    const events = [1_000, 100_000, 100_000, 100_000, 600_000, 10, 10].map((size, n) => event(n, 'x'.repeat(size)));
    const parts = framesOfEvents(events);
    expect(parts).toHaveLength(4);
    expect(parts.filter(({ length }) => length > 262_144)).toHaveLength(1);
    expect(Buffer.concat(parts)).toEqual(plain(events));
  });
});
