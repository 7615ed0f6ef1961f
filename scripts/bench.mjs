/** `npm run bench`: builds, then measures the platform beside plain BullMQ. See bench/README.md. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { endWithNpm } from './end-with-npm.mjs';
import { ensureReady, root } from './ensure.mjs';

await ensureReady();
endWithNpm();
await import(pathToFileURL(join(root, 'bench', 'dist', 'main.js')).href);
