import type { RunEvent } from '@lattice/contracts';
import { Mailbox, MAILBOX_CHARACTERS, MAILBOX_EVENTS } from './mailbox';
import { Turns } from './turns';

const event = (id: number): RunEvent => ({
  id: String(id),
  type: 'task.progress',
  runId: 'r',
  taskKey: 'a',
  attempt: 1,
  at: '2026-01-01T00:00:00.000Z',
  data: {},
});

describe('Mailbox', () => {
  it('starts behind, and keeps events only once the read of Postgres has begun', () => {
    const mailbox = new Mailbox(new Turns());
    mailbox.deliver(event(1), 10);
    expect(mailbox.takeBehind()).toBe(true);
    mailbox.deliver(event(2), 10);
    expect(mailbox.takeBehind()).toBe(false);
    expect(mailbox.take().map((each) => each.id)).toEqual(['2']);
    expect(mailbox.take()).toEqual([]);
  });

  it('is behind again, and empty, when it holds too many events', () => {
    const mailbox = new Mailbox(new Turns());
    mailbox.takeBehind();
    for (let id = 1; id <= MAILBOX_EVENTS; id++) mailbox.deliver(event(id), 1);
    expect(mailbox.takeBehind()).toBe(false);
    mailbox.deliver(event(MAILBOX_EVENTS + 1), 1);
    expect(mailbox.take()).toEqual([]);
    expect(mailbox.takeBehind()).toBe(true);
  });

  it('is behind again when its events are too large', () => {
    const mailbox = new Mailbox(new Turns());
    mailbox.takeBehind();
    mailbox.deliver(event(1), MAILBOX_CHARACTERS + 1);
    expect(mailbox.takeBehind()).toBe(true);
  });

  it('wakes its follower for an event, for a gap and when told to', async () => {
    const mailbox = new Mailbox(new Turns());
    await mailbox.wait();
    mailbox.takeBehind();
    for (const act of [() => mailbox.deliver(event(1), 1), () => mailbox.notify(), () => mailbox.markBehind()]) {
      mailbox.take();
      const waiting = mailbox.wait();
      act();
      await expect(waiting).resolves.toBeUndefined();
    }
  });
});
