import { isWeakerLevel, type Fault, type SandboxLevel } from '@lattice/contracts';
import type { Workflow } from '@lattice/flow';

/** Tasks whose code asks for a level below what this server allows. A worker refuses them too; said here, nothing begins first. */
export function levelFaults(workflow: Workflow, minimum: SandboxLevel): Fault[] {
  return [...workflow.tasks.values()].flatMap(({ key, uses, level }) => {
    if ((uses !== 'code' && uses !== 'script') || level === undefined || !isWeakerLevel(level, minimum)) return [];
    const message = `this server runs no code below level ${minimum} (LATTICE_SANDBOX_MIN), task "${key}" asks for ${level}`;
    return [{ code: 'bad_value', pointer: `/tasks/${key}/sandbox`, message } satisfies Fault];
  });
}
