/** Golden plans of libs/flow: `node scripts/generate.mjs` writes them, `--check` compares. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export function* plans(root) {
  const { compile, readDocument, renderPlan } = createRequire(join(root, 'libs/engine/package.json'))('@lattice/flow');
  const folder = join(root, 'libs/flow/golden');
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.document.json'))) {
    const read = readDocument(JSON.parse(readFileSync(join(folder, name), 'utf8')));
    if (!read.ok) throw new Error(`${name}: ${JSON.stringify(read.faults)}`);
    const plan = compile(read.workflow);
    const base = join(folder, name.replace('.document.json', ''));
    yield [`${base}.plan.json`, `${JSON.stringify(plan, null, 2)}\n`];
    yield [`${base}.plan.txt`, `${renderPlan(plan, read.workflow)}\n`];
  }
}
