/**
 * Golden plans of libs/flow: `node scripts/generate.mjs` writes them, `--check` compares. Plans that are others under the same number are
 * written by neither: processes of both builds would take each other's runs for their own.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { corpus } from './plan-corpus.mjs';

const VERSION_FILE = 'version.json';

export function* plans(root) {
  const flow = createRequire(join(root, 'libs/engine/package.json'))('@lattice/flow');
  const folder = join(root, 'libs/flow/golden');
  const files = [];
  const prints = {};
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.document.json'))) {
    const { plan, workflow } = planOf(flow, JSON.parse(readFileSync(join(folder, name), 'utf8')), name);
    const base = name.replace('.document.json', '');
    files.push([join(folder, `${base}.plan.json`), `${JSON.stringify(plan, null, 2)}\n`]);
    files.push([join(folder, `${base}.plan.txt`), `${flow.renderPlan(plan, workflow)}\n`]);
    prints[base] = printOf([plan]);
  }
  prints['corpus of all shapes'] = printOf([...corpus()].map((document) => planOf(flow, document, 'corpus').plan));
  const text = `${JSON.stringify({ version: flow.PLAN_VERSION, plans: prints }, null, 2)}\n`;
  checkVersion(join(folder, VERSION_FILE), flow.PLAN_VERSION, prints);
  yield* files;
  yield [join(folder, VERSION_FILE), text];
}

function planOf({ compile, readDocument }, document, name) {
  const read = readDocument(document);
  if (!read.ok) throw new Error(`${name}: ${JSON.stringify(read.faults)}`);
  return { plan: compile(read.workflow), workflow: read.workflow };
}

function printOf(made) {
  return createHash('sha256').update(JSON.stringify(made)).digest('hex');
}

/** Throws when a plan has changed and its version has not. A plan that is new may come under the same number. */
function checkVersion(path, version, prints) {
  if (!existsSync(path)) return;
  const known = JSON.parse(readFileSync(path, 'utf8'));
  if (known.version !== version) return;
  const changed = Object.entries(known.plans).filter(([name, print]) => name in prints && prints[name] !== print);
  if (changed.length === 0) return;
  const names = changed.map(([name]) => name).join(', ');
  throw new Error(
    `the plans of these have changed: ${names}. Raise PLAN_VERSION in libs/flow/src/version.ts: runs of version ${version} go by the plans that it had`,
  );
}
