import { EVENTS, type RunEvent } from '@lattice/contracts';
import { plainText } from '../terminal';

/** What a run waits for, with the commands that let it go on; undefined for all other events. */
export function renderWaiting(event: RunEvent, command: string): string | undefined {
  if (event.type !== 'run.waiting') return undefined;
  const parsed = EVENTS[event.type].safeParse(event.data);
  const { task, signal, message } = parsed.success ? parsed.data : {};
  if (task === undefined || signal === undefined) return undefined;
  // An approval is a signal named like the task that asks for it.
  if (signal !== task) return `${task} waits for a signal:  ${command} runs signal ${event.runId} ${signal}`;
  const asked = message === undefined ? '' : ` ${plainText(message)}`;
  const ids = `${event.runId} ${task}`;
  return [
    `${task} waits for an approval:${asked}`,
    `  yes:  ${command} runs approve ${ids}`,
    `  no:   ${command} runs reject ${ids}`,
  ].join('\n');
}
