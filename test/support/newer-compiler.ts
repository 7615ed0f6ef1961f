import { COMPILER, type Compiler } from '@lattice/engine';

/**
 * A compiler as a later build may have it: its gates have other numbers, and chains are fused where this one keeps them apart, so that
 * whoever counts gates of a plan of the other version opens the wrong ones.
 */
export const NEWER: Compiler = {
  version: COMPILER.version + 1,
  compile: (workflow) => {
    const plan = COMPILER.compile({ ...workflow, fuse: !workflow.fuse });
    const last = plan.gates.length - 1;
    return {
      ...plan,
      version: COMPILER.version + 1,
      tasks: Object.fromEntries(
        Object.entries(plan.tasks).map(([key, task]) => [
          key,
          { ...task, gates: task.gates.map((gate) => last - gate) },
        ]),
      ),
      gates: [...plan.gates].reverse(),
      segments: plan.segments.map((segment) => ({
        ...segment,
        gate: segment.gate === null ? null : last - segment.gate,
      })),
    };
  },
};
