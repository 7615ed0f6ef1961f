import { EVENTS, tellWait, type RunEvent, type RunView } from '@lattice/contracts';
import { plainText } from '../terminal';

/** What a run waits for, with the commands that let it go on; undefined for all other events. */
export function renderWaiting(event: RunEvent, command: string): string | undefined {
  if (event.type !== 'run.waiting') return undefined;
  const parsed = EVENTS[event.type].safeParse(event.data);
  const { task, signal, message } = parsed.success ? parsed.data : {};
  if (task === undefined || signal === undefined) return undefined;
  const tasks = [{ key: task, waitsFor: { signal, ...(message === undefined ? {} : { message }) } }];
  return renderWaits({ runId: event.runId, tasks }, command);
}

/** What each task of a run waits for, with the commands that let it go on; '' when none waits for a signal. */
export function renderWaits(
  { runId, tasks }: { runId: string; tasks: readonly Pick<RunView['tasks'][number], 'key' | 'waitsFor'>[] },
  command: string,
): string {
  return tasks
    .flatMap(({ key, waitsFor }) => {
      const said = tellWait({ key, waitsFor });
      if (said === undefined || waitsFor === undefined) return [];
      const told = `${key} ${plainText(said)}`;
      if (waitsFor.signal !== key) return [told, `  send: ${command} runs signal ${runId} ${waitsFor.signal}`];
      const ids = `${runId} ${key}`;
      return [told, `  yes:  ${command} runs approve ${ids}`, `  no:   ${command} runs reject ${ids}`];
    })
    .join('\n');
}
