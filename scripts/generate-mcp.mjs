/** libs/mcp/golden/tools.json: the tools of the MCP server as clients see them. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export async function* mcpTools(root) {
  const { listedTools } = await import(pathToFileURL(join(root, 'libs/mcp/dist/index.js')).href);
  yield [join(root, 'libs/mcp/golden/tools.json'), `${JSON.stringify(listedTools(), null, 2)}\n`];
}
