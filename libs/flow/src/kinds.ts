import { CONTROL_KINDS, type ControlKind } from '@lattice/contracts';
import type { ResourceClass } from './resource-class';

/** What `uses` says: who does the task, and the name within it. */
export type Kind =
  | { readonly by: 'worker'; readonly uses: Exclude<ResourceClass['uses'], 'control'>; readonly handler?: string }
  | { readonly by: 'scheduler'; readonly control: ControlKind; readonly workflow?: WorkflowName };

/** A saved workflow; the newest version when none is named. */
export interface WorkflowName {
  readonly name: string;
  readonly version: number | undefined;
}

/** A task whose `uses` can't be read is looked at as if it were this: its dependencies count all the same. */
export const STAND_IN = 'handler/unknown';

/** Reads a `uses` that fits USES_PATTERN. */
export function kindOf(uses: string): Kind {
  if (uses === 'code' || uses === 'container' || uses === 'script' || uses === 'http') return { by: 'worker', uses };
  if (uses.startsWith('handler/')) return { by: 'worker', uses: 'handler', handler: uses.slice('handler/'.length) };
  if (uses.startsWith('workflow/')) {
    const [name = '', version] = uses.slice('workflow/'.length).split('@');
    const workflow = { name, version: version === undefined ? undefined : Number(version) };
    return { by: 'scheduler', control: 'workflow', workflow };
  }
  return { by: 'scheduler', control: CONTROL_KINDS.find((kind) => kind === uses) ?? 'transform' };
}
