/** TypeScript into CommonJS by swc, for Jest and for the processes that specs start (see register.cjs). Everything else passes as it is. */
const { createHash } = require('node:crypto');
const { mkdirSync } = require('node:fs');
const { join } = require('node:path');

// Before swc is loaded: else it unpacks its binary into the user's home, or into /tmp where there is no HOME.
process.env.SWC_NATIVE_BINDING_CACHE ??= join(__dirname, '..', '..', 'node_modules', '.cache', 'swc');
mkdirSync(process.env.SWC_NATIVE_BINDING_CACHE, { recursive: true, mode: 0o700 });
const swc = require('@swc/core');

module.exports = {
  getCacheKey(source, path) {
    return createHash('sha256').update(`5\0${swc.version}\0${path}\0${source}`).digest('hex');
  },
  process(source, path) {
    return swc.transformSync(source, {
      filename: path,
      // Apart from the code: only the traces of what failed need them.
      sourceMaps: true,
      configFile: false,
      swcrc: false,
      jsc: {
        target: 'es2022',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
        keepClassNames: true,
      },
      module: { type: 'commonjs', ignoreDynamic: false },
    });
  },
};
