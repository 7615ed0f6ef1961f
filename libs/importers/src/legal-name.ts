import { workflowNameSchema } from '@lattice/contracts';

/** A name made one that a workflow may have. */
export function legalName(name: string): string {
  if (workflowNameSchema.safeParse(name).success) return name;
  const legal = name
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '')
    .slice(0, 128)
    .replace(/[._-]+$/, '');
  return legal === '' ? 'imported' : legal;
}
