export { runCommandLine } from './program';
export { EXIT, type ExitCode } from './exit-codes';
export { processTerminal, type Terminal, type Output } from './terminal';
