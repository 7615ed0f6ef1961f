/**
 * Jest's loader of modules, but for one thing: packages are loaded by Node, once for all specs of a process, where Jest loads, and
 * compiles, thousands of files again for each spec. Our own code, and Jest's, is new for each spec as ever.
 */
const { createRequire } = require('node:module');
const { dirname } = require('node:path');
const { compileFunction } = require('node:vm');
const { default: Runtime } = require('jest-runtime');

const requires = new Map();

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

module.exports = class SharedPackages extends Runtime {
  constructor(...given) {
    super(...given);
    const { executor } = this;
    executor.compile = (source, filename) => compileFunction(source, executor.injectedModuleParameters, { filename });
  }

  requireModuleOrMock(from, name) {
    return isShared(from, name) ? requireFrom(from)(name) : super.requireModuleOrMock(from, name);
  }
};
