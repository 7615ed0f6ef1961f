/** `npm run chaos`: sets up, then breaks a platform of real processes on purpose. Arguments: -- --only NAME --runs N --seed N */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { endWithNpm } from './end-with-npm.mjs';
import { ensureReady, root } from './ensure.mjs';

await ensureReady();
endWithNpm();
const loader = ['-C', 'lattice-source', '-r', join(root, 'test', 'support', 'register.cjs')];
const main = join(root, 'test', 'chaos', 'main.ts');
const child = spawn(process.execPath, [...loader, main, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
child.once('exit', (code) => (process.exitCode = code ?? 1));
