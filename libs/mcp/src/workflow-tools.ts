import { createHash } from 'node:crypto';
import type { SavedWorkflow } from '@lattice/contracts';
import { z } from 'zod';
import type { Platform } from './platform';
import { inputsSchemaOf } from './show/inputs-schema';
import { ADDS, schemaOf, type JsonSchema, type Tool } from './tool';
import { outcomeSchema, waitForRun } from './wait-for-run';

/** Workflows that are tools of their own; run_workflow runs all of them. */
const MOST = 100;
/** Documents that are read at once. */
const AT_ONCE = 10;
/** Models know names of tools up to so long. */
const LONGEST_NAME = 64;
const WAIT = '20s';

const outputSchema = schemaOf(outcomeSchema);
const argumentsSchema = z.record(z.string(), z.unknown()).default({});

/** A tool for each saved workflow, the first hundred by name, with the inputs that it declares. */
export async function listWorkflowTools(platform: Platform, signal: AbortSignal): Promise<Tool[]> {
  const names = (await platform.listWorkflows({ signal })).slice(0, MOST).map(({ name }) => name);
  const tools: Tool[] = [];
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const read = names.slice(from, from + AT_ONCE).map((name) => platform.getWorkflow(name, { signal }));
    tools.push(...(await Promise.all(read)).map(toolOf));
  }
  return tools;
}

/** The tool of that name, to be called: its inputs are checked by the platform. */
export async function findWorkflowTool(
  platform: Platform,
  name: string,
  signal: AbortSignal,
): Promise<Tool | undefined> {
  const known = (await platform.listWorkflows({ signal })).slice(0, MOST);
  const found = known.find((workflow) => toolNameOf(workflow.name) === name);
  return found === undefined ? undefined : makeTool(found.name, `Runs ${found.name}.`, { type: 'object' });
}

function toolOf({ name, document }: SavedWorkflow): Tool {
  const what = document.description ?? `Runs the workflow ${name}.`;
  return makeTool(name, `${what} (Waits up to ${WAIT}; then wait_for_run.)`, inputsSchemaOf(document));
}

function makeTool(workflow: string, description: string, inputSchema: JsonSchema): Tool {
  return {
    name: toolNameOf(workflow),
    title: `Run ${workflow}`,
    description,
    needs: 'operator',
    hints: ADDS,
    inputSchema,
    outputSchema,
    pointers: { '/inputs/': '/' },
    call: async (given, context) => {
      const inputs = argumentsSchema.parse(given);
      const { runId } = await context.platform.submit({ workflow, inputs, signal: context.signal });
      return { value: await waitForRun(context, runId, WAIT) };
    },
  };
}

/** Models take letters, digits, _ and - only. A name that must be changed gets a mark, so that two never become one. */
export function toolNameOf(workflow: string): string {
  const plain = `workflow_${workflow}`;
  const name = plain.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  if (name === plain && name.length <= LONGEST_NAME) return name;
  const mark = createHash('sha256').update(workflow).digest('hex').slice(0, 8);
  return `${name.slice(0, LONGEST_NAME - mark.length - 1)}_${mark}`;
}
