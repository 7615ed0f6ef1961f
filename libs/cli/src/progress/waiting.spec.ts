import type { RunEvent } from '@lattice/contracts';
import { renderWaiting } from './waiting';

const event = (data: Record<string, unknown>, type = 'run.waiting'): RunEvent => ({
  id: '1',
  type,
  runId: 'r1',
  taskKey: null,
  attempt: null,
  at: '2026-01-01T00:00:00.000Z',
  data,
});

it('says what a run waits for, and what to type', () => {
  expect(renderWaiting(event({ task: 'ask', signal: 'ask', message: 'Go\u001b[2J on?' }), 'lattice')).toBe(
    [
      'ask waits for an approval: Go on?',
      '  yes:  lattice runs approve r1 ask',
      '  no:   lattice runs reject r1 ask',
    ].join('\n'),
  );
  expect(renderWaiting(event({ task: 'hold', signal: 'go' }), 'npx lattice')).toBe(
    'hold waits for a signal: go\n  send: npx lattice runs signal r1 go',
  );
});

it('says nothing of other events, and of a run that waits again after a pause', () => {
  expect(renderWaiting(event({}), 'lattice')).toBeUndefined();
  expect(renderWaiting(event({ task: 'ask', signal: 'ask' }, 'run.started'), 'lattice')).toBeUndefined();
});
