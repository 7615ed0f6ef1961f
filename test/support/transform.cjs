/**
 * Jest's CommonJS mode with packages that are ES modules only (Nest 12 and others): swc turns TypeScript, and the
 * JavaScript of packages whose package.json says "type": "module", into CommonJS. Everything else passes as it is.
 */
const { createHash } = require('node:crypto');
const { existsSync, mkdirSync, readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');

// Before swc is loaded: else it unpacks its binary into the user's home, or into /tmp where there is no HOME.
process.env.SWC_NATIVE_BINDING_CACHE ??= join(__dirname, '..', '..', 'node_modules', '.cache', 'swc');
mkdirSync(process.env.SWC_NATIVE_BINDING_CACHE, { recursive: true, mode: 0o700 });
const swc = require('@swc/core');

const types = new Map();

function moduleType(folder) {
  const known = types.get(folder);
  if (known !== undefined) return known;
  const manifest = join(folder, 'package.json');
  let type = 'commonjs';
  if (existsSync(manifest)) type = JSON.parse(readFileSync(manifest, 'utf8')).type ?? 'commonjs';
  else if (dirname(folder) !== folder) type = moduleType(dirname(folder));
  types.set(folder, type);
  return type;
}

function isModule(path) {
  if (path.endsWith('.mjs')) return true;
  return path.endsWith('.js') && moduleType(dirname(path)) === 'module';
}

module.exports = {
  getCacheKey(source, path) {
    return createHash('sha256').update(`3\0${swc.version}\0${path}\0${source}`).digest('hex');
  },
  process(source, path) {
    const typescript = path.endsWith('.ts');
    if (!typescript && !isModule(path)) return { code: source };
    return swc.transformSync(source, {
      filename: path,
      sourceMaps: 'inline',
      configFile: false,
      swcrc: false,
      jsc: {
        target: 'es2022',
        parser: typescript ? { syntax: 'typescript', decorators: true } : { syntax: 'ecmascript' },
        transform: { legacyDecorator: true, decoratorMetadata: true },
        keepClassNames: true,
      },
      module: { type: 'commonjs', ignoreDynamic: false },
    });
  },
};
