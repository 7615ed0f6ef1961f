/**
 * Jest's loader of modules, but for one thing: packages and the product's own modules are loaded once for all specs of a process,
 * where Jest loads, and compiles, thousands of files again for each spec. They are the same for all specs as they are for all that
 * runs in a process of the product. Packages are loaded by Node; specs, and what supports them, are new for each spec as ever.
 */
const { createRequire } = require('node:module');
const { dirname, join } = require('node:path');
const { compileFunction } = require('node:vm');
const { default: Runtime } = require('jest-runtime');

const root = join(__dirname, '..', '..');
const requires = new Map();
/** The product's modules by their file, and where the lines of all code come from. */
const modules = new Map();
const sourceMaps = new Map();
/** What shared modules keep in the global scope: it stays as long as they do. */
const keptGlobals = new Set();
/** The loader of the spec that runs now. */
let current;

function requireFrom(file) {
  const folder = dirname(file);
  let found = requires.get(folder);
  if (found === undefined) requires.set(folder, (found = createRequire(file)));
  return found;
}

/** Packages that are neither ours nor Jest's, by the name that they are asked for with. */
function isShared(from, name) {
  return !/^[./]|^(node|jest|@jest|@lattice)\b|^expect$/.test(name) && !from.includes('/node_modules/');
}

/** Code of the product, and no spec. */
function isProduct(file) {
  return /^\/(libs|apps)\/[^/]+\/src\//.test(file.slice(root.length)) && !file.endsWith('.spec.ts');
}

function keepingGlobals(load) {
  const before = new Set(Reflect.ownKeys(globalThis));
  try {
    return load();
  } finally {
    for (const name of Reflect.ownKeys(globalThis)) if (!before.has(name)) keptGlobals.add(name);
  }
}

module.exports = class SharedPackages extends Runtime {
  constructor(...given) {
    super(...given);
    current = this;
    const { cjsLoader, executor, registries, transformCache } = this;
    executor.compile = (source, filename) => compileFunction(source, executor.injectedModuleParameters, { filename });
    transformCache.sourceMaps = sourceMaps;
    const registry = registries.getActiveCjsRegistry();
    for (const [file, module] of modules) registry.set(file, module);
    const load = cjsLoader.loadModule.bind(cjsLoader);
    cjsLoader.loadModule = (module, ...rest) =>
      isProduct(module.filename) ? keepingGlobals(() => load(module, ...rest)) : load(module, ...rest);
  }

  /** A module of the product may load a part of itself later, when the spec that loaded it first has ended. */
  requireModuleOrMock(from, name) {
    if (isShared(from, name)) return requireFrom(from)(name);
    return this === current ? super.requireModuleOrMock(from, name) : current.requireModuleOrMock(from, name);
  }

  teardown() {
    for (const [file, module] of this.registries.getActiveCjsRegistry())
      if (isProduct(file) && module.loaded) modules.set(file, module);
    super.teardown();
  }
};
module.exports.keptGlobals = keptGlobals;
