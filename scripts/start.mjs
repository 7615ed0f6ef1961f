/**
 * `npm start`: sets up, then `lattice up --run examples/hello.yaml` in this very process, so that signals and the exit
 * status need no passing on. Arguments after `npm start --` go to `lattice up`.
 */
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { endWithNpm } from './end-with-npm.mjs';
import { ensureReady, root } from './ensure.mjs';

await ensureReady();
endWithNpm();
const cli = join(root, 'libs', 'cli', 'bin', 'lattice.js');
// As short as it was typed: the CLI repeats it to the user.
const example = relative(process.cwd(), join(root, 'examples', 'hello.yaml'));
process.argv = [process.execPath, cli, 'up', '--run', example, ...process.argv.slice(2)];
await import(pathToFileURL(cli).href);
