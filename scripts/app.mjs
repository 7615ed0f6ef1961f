/** `npm run start:api` and its like: sets up, then runs one app in this very process. Usage: node scripts/app.mjs NAME */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { endWithNpm } from './end-with-npm.mjs';
import { ensureReady, root } from './ensure.mjs';

const [name = ''] = process.argv.splice(2, 1);
if (!/^[a-z]+$/.test(name) || !existsSync(join(root, 'apps', name, 'package.json'))) {
  console.error(`There is no app "${name}". Usage: node scripts/app.mjs api|scheduler|worker`);
  process.exit(2);
}
await ensureReady();
endWithNpm();
const main = join(root, 'apps', name, 'dist', 'main.js');
process.argv[1] = main;
await import(pathToFileURL(main).href);
