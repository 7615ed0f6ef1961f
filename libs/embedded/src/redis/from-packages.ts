import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { unpackPackages, type UnpackOptions } from '../unpack-packages';
import { runs, type RedisProgram } from './find';

const packages = {
  main: 'redis-server',
  /** What Debian 12 and its Ubuntu cousins need beyond their base system. */
  usual: ['redis-server', 'redis-tools', 'libjemalloc2', 'libatomic1', 'liblzf1'],
  works: async (root: string): Promise<boolean> => {
    const program = programIn(root);
    return program !== undefined && (await runs(program));
  },
};

/** Debian's own Redis, unpacked: 1.5 MB. Undefined where that is not possible. */
export async function redisFromPackages(options: UnpackOptions): Promise<RedisProgram | undefined> {
  const root = await unpackPackages(packages, options);
  return root === undefined ? undefined : programIn(root);
}

function programIn(root: string): RedisProgram | undefined {
  const command = join(root, 'usr', 'bin', 'redis-server');
  if (!existsSync(command)) return undefined;
  const folders = [join(root, 'usr', 'lib'), join(root, 'lib')].filter((folder) => existsSync(folder));
  const libraries = folders.flatMap((folder) => [folder, ...tripletFolders(folder)]);
  return { command, libraryPath: libraries.join(':') };
}

/** usr/lib/x86_64-linux-gnu and its like. */
function tripletFolders(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.includes('-linux-'))
    .map((entry) => join(folder, entry.name));
}
