/**
 * `npm run pack:sdk [-- FOLDER]`: @lattice/sdk as a package that needs nothing of this repository: ESM and CommonJS, each with
 * its types. Writes its tarball to FOLDER (default libs/sdk/dist) and prints the path. Expects `tsc -b` to be done.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import ts from 'typescript';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const sdk = join(root, 'libs', 'sdk');
const target = resolve(process.argv[2] ?? join(sdk, 'dist'));
// A folder of its own: two may pack at the same time.
const out = mkdtempSync(join(tmpdir(), 'lattice-pack-'));
const manifest = JSON.parse(readFileSync(join(sdk, 'package.json'), 'utf8'));
/** Entry points: what Node gets, and what works in browsers as well. */
const entries = ['index', 'client-entry'];
/** Bundled, so that the package needs few others. */
const bundled = ['@lattice/contracts', 'eventsource-parser', 'acorn'];

const pairs = Object.entries({ ...manifest.dependencies, ...manifest.optionalDependencies });
const external = pairs.map(([name]) => name).filter((name) => !bundled.includes(name));
await Promise.all(['esm', 'cjs'].map((format) => bundle(format)));
for (const format of ['esm', 'cjs']) writeTypes(format);
writeManifest();
cpSync(join(sdk, 'README.md'), join(out, 'README.md'));
console.log(pack(target));
rmSync(out, { recursive: true });

async function bundle(format) {
  await build({
    absWorkingDir: root,
    entryPoints: entries.map((name) => join(sdk, 'src', `${name}.ts`)),
    outdir: join(out, format),
    bundle: true,
    splitting: format === 'esm',
    format,
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['lattice-source', ...(format === 'esm' ? ['import', 'module'] : [])],
    external: [...external, 'node:*'],
    target: 'es2023',
    // Where the SDK itself is, for finding esbuild from there.
    define: format === 'esm' ? { __filename: 'import.meta.url' } : {},
    legalComments: 'inline',
    logLevel: 'warning',
  });
  const type = format === 'esm' ? 'module' : 'commonjs';
  writeFileSync(join(out, format, 'package.json'), `${JSON.stringify({ type })}\n`);
}

/** Declarations of the entries and of what they import, with specifiers that hold in both kinds of modules. */
function writeTypes(format) {
  const target = join(out, format, 'types');
  const waiting = entries.map((name) => join(sdk, 'dist', `${name}.d.ts`));
  const seen = new Set(waiting);
  for (const file of waiting) {
    const text = readFileSync(file, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
    let moved = '';
    let at = 0;
    for (const { fileName, pos, end } of ts.preProcessFile(text, true, true).importedFiles) {
      const found = declarationOf(file, fileName);
      if (found === undefined) continue;
      if (!seen.has(found)) waiting.push(found);
      seen.add(found);
      const path = relative(dirname(placeOf(file, target)), placeOf(found, target)).replace(/\.d\.ts$/, '.js');
      // Of the quoted text only what is between the quotes is replaced.
      const quote = text.slice(pos, end).startsWith("'") || text.slice(pos, end).startsWith('"') ? 1 : 0;
      moved += text.slice(at, pos + quote) + (path.startsWith('.') ? path : `./${path}`);
      at = pos + quote + fileName.length;
    }
    const place = placeOf(file, target);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, moved + text.slice(at));
  }
}

/** The file that an import of this repository means; undefined for packages that are installed along. */
function declarationOf(from, specifier) {
  if (specifier === '@lattice/contracts') return join(root, 'libs', 'contracts', 'dist', 'index.d.ts');
  if (!specifier.startsWith('.')) return undefined;
  const base = join(dirname(from), specifier);
  return [`${base}.d.ts`, join(base, 'index.d.ts')].find((file) => existsSync(file));
}

function placeOf(file, target) {
  const [, lib, path] = /libs\/([^/]+)\/dist\/(.*)$/.exec(relative(root, file).replaceAll('\\', '/'));
  return join(target, lib, path);
}

function writeManifest() {
  // This repository pins; whoever installs the package may have a newer one that is compatible.
  const kept = (list = {}) =>
    Object.fromEntries(external.flatMap((name) => (name in list ? [[name, `^${list[name]}`]] : [])));
  const entry = (name) => ({
    import: { types: `./esm/types/sdk/${name}.d.ts`, default: `./esm/${name}.js` },
    require: { types: `./cjs/types/sdk/${name}.d.ts`, default: `./cjs/${name}.js` },
  });
  const published = {
    name: manifest.name,
    version: manifest.version,
    description: 'Write, run and follow Lattice workflows from TypeScript; workers of your own',
    license: 'MIT',
    engines: { node: '>=20.19' },
    // The entry of Node says how code is bundled.
    sideEffects: ['./esm/index.js', './cjs/index.js'],
    main: './cjs/index.js',
    types: './cjs/types/sdk/index.d.ts',
    browser: './esm/client-entry.js',
    exports: { '.': { browser: entry('client-entry').import, ...entry('index') }, './client': entry('client-entry') },
    dependencies: kept(manifest.dependencies),
    optionalDependencies: kept(manifest.optionalDependencies),
  };
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(published, undefined, 2)}\n`);
}

function pack(folder) {
  mkdirSync(folder, { recursive: true });
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const args = [...first, 'pack', '--offline', '--json', '--pack-destination', folder];
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: out, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm pack failed: ${stderr}`);
  return join(folder, JSON.parse(stdout)[0].filename);
}
