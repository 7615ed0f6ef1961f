import { McpError, type ListResourcesResult, type ReadResourceResult } from '@modelcontextprotocol/sdk/types.js';
import type { Access, Platform } from './platform';
import { hintOf } from './hint-of';
import { readGuide } from './tools/workflow-guide';

const GUIDE = 'lattice://guide';
const JSON_TYPE = 'application/json';
const MARKDOWN = 'text/markdown';
/** Workflows of a page. */
const PAGE = 100;
/** What the specification of MCP has for a resource that is not there. */
const NOT_FOUND = -32_002;
const INTERNAL = -32_603;

/** What can be read beside by tools, as patterns. */
export const RESOURCE_TEMPLATES = [
  { uriTemplate: 'lattice://runs/{runId}', name: 'run', title: 'A run with its tasks', mimeType: JSON_TYPE },
  { uriTemplate: 'lattice://runs/{runId}/report', name: 'report', title: 'The report of a run', mimeType: MARKDOWN },
  { uriTemplate: 'lattice://workflows/{name}', name: 'workflow', title: 'A saved workflow', mimeType: JSON_TYPE },
];

/** The guide and the saved workflows, in pages. */
export async function listResources(
  platform: Platform,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<ListResourcesResult> {
  const all = await platform.listWorkflows({ signal });
  const from = cursor === undefined ? 0 : all.findIndex(({ name }) => name === cursor) + 1;
  const page = all.slice(from, from + PAGE);
  const workflows = page.map(({ name }) => ({ uri: `lattice://workflows/${name}`, name, mimeType: JSON_TYPE }));
  const guide = { uri: GUIDE, name: 'guide', title: 'How to write a workflow document', mimeType: MARKDOWN };
  const last = page.at(-1)?.name;
  return {
    resources: cursor === undefined ? [guide, ...workflows] : workflows,
    ...(last !== undefined && from + page.length < all.length ? { nextCursor: last } : {}),
  };
}

/** What lives at a URI; throws McpError, with the code of the platform in its data. */
export async function readResource(access: Access, uri: string, signal: AbortSignal): Promise<ReadResourceResult> {
  try {
    access.require?.('viewer');
    const found = await find(access.platform, uri, signal);
    if (found !== undefined) return { contents: [{ uri, ...found }] };
  } catch (error) {
    const { code, message } = access.refusalOf(error);
    throw new McpError(code.endsWith('_not_found') ? NOT_FOUND : INTERNAL, message, { code, ...hintOf(code) });
  }
  throw new McpError(NOT_FOUND, 'Resource not found', { uri });
}

async function find(
  platform: Platform,
  uri: string,
  signal: AbortSignal,
): Promise<{ mimeType: string; text: string } | undefined> {
  if (uri === GUIDE) return { mimeType: MARKDOWN, text: readGuide() };
  const match = /^lattice:\/\/(runs|workflows)\/([^/]+)(\/report)?$/.exec(uri);
  const [, kind, id = '', report] = match ?? [];
  if (kind === 'runs' && report !== undefined)
    return { mimeType: MARKDOWN, text: await platform.reportText(decode(id), { signal }) };
  if (kind === 'runs') return json(await platform.getRun(decode(id), { signal }));
  if (kind === 'workflows' && report === undefined) return json(await platform.getWorkflow(decode(id), { signal }));
  return undefined;
}

function json(value: unknown): { mimeType: string; text: string } {
  return { mimeType: JSON_TYPE, text: JSON.stringify(value, null, 2) };
}

/** Part of a URI; what can't be decoded is taken as it is, and found nowhere. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
