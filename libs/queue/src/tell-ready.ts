import { CONTROL_CLASS } from '@lattice/flow';
import type { QueueConnection } from './connection';

/**
 * Wakes whoever takes jobs of these classes: workers, and for steps the schedulers. Each hears only what is for them, since every
 * message wakes a process.
 */
export async function tellReady({ bus }: Pick<QueueConnection, 'bus'>, classNames: Iterable<string>): Promise<void> {
  const names = [...new Set(classNames)];
  const forWorkers = names.filter((name) => name !== CONTROL_CLASS.name);
  const sent: Promise<void>[] = [];
  if (forWorkers.length > 0) sent.push(bus.publish('ready', JSON.stringify(forWorkers)));
  if (forWorkers.length < names.length) sent.push(bus.publish('steps', ''));
  await Promise.all(sent);
}
