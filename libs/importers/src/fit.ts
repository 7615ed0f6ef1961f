import type { TaskDocument, WorkflowDocument } from '@lattice/contracts';

/** A request to the API holds 8 MiB; some of it is for what stands around the document. */
const LIMIT = 8 * 1_048_576 - 65_536;

/**
 * Makes a document fit into a request by leaving out metadata of its tasks: first the arguments of commands, which are most
 * of it, then all. A document without them that is still too large stays as it is.
 */
export function fit(workflow: WorkflowDocument): { workflow: WorkflowDocument; notes: string[] } {
  if (fits(workflow)) return { workflow, notes: [] };
  const shorter = mapTasks(workflow, withoutArguments);
  if (fits(shorter)) {
    return {
      workflow: shorter,
      notes: ['Arguments of commands are left out of the metadata, so that the document fits into a request (8 MiB).'],
    };
  }
  const bare = mapTasks(workflow, ({ metadata: _, ...task }) => task);
  const notes = ['The metadata of tasks is left out, so that the document fits into a request (8 MiB).'];
  if (!fits(bare)) notes.push('The document is larger than a request may be (8 MiB) all the same.');
  return { workflow: bare, notes };
}

function fits(workflow: WorkflowDocument): boolean {
  return Buffer.byteLength(JSON.stringify(workflow)) <= LIMIT;
}

function mapTasks(workflow: WorkflowDocument, change: (task: TaskDocument) => TaskDocument): WorkflowDocument {
  const tasks = Object.entries(workflow.tasks).map(([key, task]) => [key, change(task)] as const);
  return { ...workflow, tasks: Object.fromEntries(tasks) };
}

function withoutArguments(task: TaskDocument): TaskDocument {
  const command = task.metadata?.['command'];
  if (typeof command !== 'object' || command === null || Array.isArray(command)) return task;
  const { arguments: _, ...rest } = command;
  return { ...task, metadata: { ...task.metadata, command: rest } };
}
