import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LatticeError } from '@lattice/contracts';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  ListResourceTemplatesRequestSchema,
  ListResourcesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import { z } from 'zod';
import { callTool } from './call-tool';
import type { Access, Need } from './platform';
import { RESOURCE_TEMPLATES, listResources, readResource } from './resources';
import type { Tool, ToolContext } from './tool';
import { TOOLS } from './tools';
import { findWorkflowTool, listWorkflowTools } from './workflow-tools';

export interface ServerOptions {
  /** Only tools that change nothing. */
  readonly readOnly?: boolean | undefined;
  /** Each saved workflow is a tool of its own, too. */
  readonly workflows?: boolean | undefined;
}

const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')));

const INSTRUCTIONS = `Lattice runs workflows: graphs of tasks (code, containers, requests, functions of workers). A run is one execution of a workflow; its tasks have attempts, outputs and logs.
- To run something that is there: list_workflows, get_workflow (inputs), run_workflow. When \`ended\` is false, call wait_for_run with the runId.
- To make something new: workflow_guide, validate_workflow until there are no faults, then run_workflow with the document; save_workflow keeps it.
- When a run failed: get_run with status ["failed"], read_logs, get_run_report; then mend, and retry_run, rerun_task or fork_run.
- When it does not go on: get_run and list_workers tell why tasks are queued.
Results name what was cut (\`cut\`, \`next\`) and the call that reads the rest. Errors have a code, what happened, and a hint.`;

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** Servers are made for each request: what they share is made once. They ask their clients for nothing that it would check. */
const validator = new AjvJsonSchemaValidator();

/** A server of MCP for one caller, to be connected to a transport. */
export function createServer(given: Access, options: ServerOptions): Server {
  const access = options.readOnly === true ? onlyReading(given) : given;
  const server = new Server(
    { name: 'lattice', title: 'Lattice', version },
    { capabilities: { tools: {}, resources: {} }, instructions: INSTRUCTIONS, jsonSchemaValidator: validator },
  );
  server.setRequestHandler(ListToolsRequestSchema, async (_, { signal }) => {
    const own = options.workflows === true && may(access, 'operator');
    const workflows = own ? await listWorkflowTools(access.platform, signal) : [];
    return { tools: [...TOOLS, ...workflows].filter(({ needs }) => may(access, needs)).map(listed) };
  });
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const { name, arguments: given } = params;
    const tool =
      TOOLS.find((one) => one.name === name) ??
      (options.workflows === true ? await findWorkflowTool(access.platform, name, extra.signal) : undefined);
    if (tool === undefined) throw new McpError(ErrorCode.InvalidParams, `Unknown tool: ${name}`);
    return callTool(tool, given, { access, signal: extra.signal, progress: progressOf(extra) });
  });
  server.setRequestHandler(ListResourcesRequestSchema, ({ params }, { signal }) =>
    listResources(access.platform, params?.cursor, signal),
  );
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: RESOURCE_TEMPLATES }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }, { signal }) =>
    readResource(access, params.uri, signal),
  );
  return server;
}

/** All tools but those of saved workflows, as clients see them. */
export function listedTools(): ReturnType<typeof listed>[] {
  return TOOLS.map(listed);
}

function listed({ name, title, description, inputSchema, outputSchema, hints }: Tool) {
  return { name, title, description, inputSchema, outputSchema, annotations: { title, ...hints } };
}

/** Tools that a caller may not use are not shown to them; whoever calls them all the same is told why not. */
function may(access: Access, need: Need): boolean {
  try {
    access.require?.(need);
    return true;
  } catch {
    return false;
  }
}

function onlyReading(access: Access): Access {
  return {
    ...access,
    refusalOf: (error) => access.refusalOf(error),
    require: (need) => {
      if (need !== 'viewer') throw new LatticeError('forbidden', 'This connection was opened for reading only.');
      access.require?.(need);
    },
  };
}

/** Tells a client that asked for it how far a call is; one that does not listen any more is no reason to stop. */
function progressOf({ _meta, sendNotification }: Extra): ToolContext['progress'] {
  const progressToken = _meta?.progressToken;
  if (progressToken === undefined) return () => undefined;
  return ({ done, total, message }) => {
    const params = { progressToken, progress: done, total, message };
    sendNotification({ method: 'notifications/progress', params }).catch(() => undefined);
  };
}
