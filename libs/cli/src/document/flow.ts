import type { Fault } from '@lattice/contracts';

/**
 * All that this command needs of the compiler, loaded only when it is needed: the expression language makes up much of the start time.
 */
const load = () => import('@lattice/flow');

/** The value of a YAML or JSON text. Throws LatticeError `unparsable`. */
export async function parseText(text: string, format: 'yaml' | 'json'): Promise<unknown> {
  return (await load()).parseDocumentText(text, format);
}

/** All faults of a document; none when it is valid. */
export async function faultsOfDocument(value: unknown): Promise<readonly Fault[]> {
  const read = (await load()).readDocument(value);
  return read.ok ? [] : read.faults;
}

export type Explained = { ok: true; plan: unknown; text: string } | { ok: false; faults: readonly Fault[] };

/** The flow plan of a document, as data and as text. */
export async function explain(value: unknown): Promise<Explained> {
  const flow = await load();
  const read = flow.readDocument(value);
  if (!read.ok) return read;
  const plan = flow.compile(read.workflow);
  return { ok: true, plan, text: flow.renderPlan(plan, read.workflow) };
}
