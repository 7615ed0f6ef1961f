export { EmbeddedError, embeddedCodes, type EmbeddedCode } from './errors';
export { freePort } from './free-port';
export { defaultHome, homePaths, removeHome, repoRoot, type HomePaths } from './home';
export { pathWithPython, type PythonOptions } from './python';
export { startPlatform, type Platform, type PlatformOptions, type PlatformStatus } from './platform';
export type { PartExit } from './parts';
export { startServices, type ServiceOptions, type Services } from './services';
export { onStopSignals, type StopHandlers } from './stop-signals';
