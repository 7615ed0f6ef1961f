import { CONTROL_CLASS } from '@lattice/flow';
import type { QueueConnection } from './connection';
import type { Channel } from './keys';

/** What is to be told, and where. */
export interface Message {
  readonly channel: Channel;
  readonly text: string;
}

/** The messages that wake whoever takes jobs of these classes. */
export function readyMessages(classNames: Iterable<string>): Message[] {
  const names = [...new Set(classNames)];
  const forWorkers = names.filter((name) => name !== CONTROL_CLASS.name);
  return [
    ...(forWorkers.length > 0 ? [{ channel: 'ready', text: JSON.stringify(forWorkers) } as const] : []),
    ...(forWorkers.length < names.length ? [{ channel: 'steps', text: '' } as const] : []),
  ];
}

/**
 * Wakes whoever takes jobs of these classes: workers, and for steps the schedulers. Each hears only what is for them, since every
 * message wakes a process.
 */
export async function tellReady({ bus }: Pick<QueueConnection, 'bus'>, classNames: Iterable<string>): Promise<void> {
  await Promise.all(readyMessages(classNames).map(({ channel, text }) => bus.publish(channel, text)));
}
