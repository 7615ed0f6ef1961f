/**
 * Where specs run: in the realm of the process that runs them, as the product does, and not in one of their own, as Jest's
 * environments make it. So packages can be loaded once for all specs of a process (see shared-packages.cjs), and what Node makes
 * (errors, buffers) is of the same classes as in the product. What a spec changes in the process is put back after it.
 */
const { ModuleMocker } = require('jest-mock');
const { keptGlobals } = require('./shared-packages.cjs');

module.exports = class OneRealm {
  constructor({ projectConfig }) {
    this.global = globalThis;
    this.moduleMocker = new ModuleMocker(globalThis);
    this.conditions = projectConfig.testEnvironmentOptions.customExportConditions;
    this.before = {
      globals: new Map(ownProperties(globalThis)),
      env: { ...process.env },
      exit: process.exit,
      console: globalThis.console,
      prepareStackTrace: Error.prepareStackTrace,
      listeners: new Map(process.eventNames().map((name) => [name, new Set(process.rawListeners(name))])),
    };
  }

  exportConditions() {
    return this.conditions;
  }

  /** None: see shared-packages.cjs, which compiles for this realm. */
  getVmContext() {
    return undefined;
  }

  async setup() {}

  async teardown() {
    const { globals, env, exit, prepareStackTrace, listeners } = this.before;
    for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
    Object.assign(process.env, env);
    process.exit = exit;
    Error.prepareStackTrace = prepareStackTrace;
    for (const name of process.eventNames())
      for (const listener of process.rawListeners(name))
        if (!listeners.get(name)?.has(listener)) process.removeListener(name, listener);
    for (const [name, descriptor] of globals) Object.defineProperty(globalThis, name, descriptor);
    for (const [name, { configurable }] of ownProperties(globalThis))
      if (!globals.has(name) && !keptGlobals.has(name) && configurable) delete globalThis[name];
  }
};

function ownProperties(object) {
  return Object.entries(Object.getOwnPropertyDescriptors(object));
}
