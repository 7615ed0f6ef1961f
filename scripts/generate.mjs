/** Writes everything that is generated and committed; with `--check` compares instead, and fails on drift. Needs a build. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errors } from './generate-errors.mjs';
import { mcpTools } from './generate-mcp.mjs';
import { openApi } from './generate-openapi.mjs';
import { plans } from './generate-plans.mjs';
import { schema } from './generate-schema.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const check = process.argv.includes('--check');
const generators = [plans, errors, openApi, mcpTools, schema];

const stale = [];
for (const generate of generators) {
  for await (const [path, text] of generate(root)) {
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
    stale.push(relative(root, path));
    if (check) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
if (check && stale.length > 0) {
  console.error(
    `These differ from what the code generates; run \`npm run generate\` and look at the difference:\n  ${stale.join('\n  ')}`,
  );
  process.exitCode = 1;
} else
  console.log(check ? 'generated files are up to date' : `wrote ${stale.length} file${stale.length === 1 ? '' : 's'}`);
