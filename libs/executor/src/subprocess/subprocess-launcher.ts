import { openWorkspace } from '../workspace';
import { baseEnvironment, prlimitArgs, runnerWords, RUNNERS_FOLDER } from './command';
import type { Launcher, Prepared, Shape } from './launcher';
import type { Tools } from './tools';

/** Level `subprocess`: the interpreter itself, wrapped in what applies the limits of the kernel. The wrappers replace themselves: one process. */
export function createSubprocessLauncher(options: { workRoot: string; searchPath: string; tools: Tools }): Launcher {
  const { workRoot, searchPath, tools } = options;

  async function commandOf(shape: Shape): Promise<{ file: string; args: string[] }> {
    const words: string[] = [];
    const prlimit = await tools.prlimit();
    if (prlimit !== undefined) words.push(...prlimit, ...prlimitArgs(shape));
    // The guardian does the same and more, a moment later.
    if (await tools.setpriv()) words.push('setpriv', '--pdeathsig', 'KILL');
    const interpreter = shape.language === 'python' ? await tools.python() : process.execPath;
    words.push(...runnerWords(shape, interpreter, RUNNERS_FOLDER));
    const [file = '', ...args] = words;
    return { file, args };
  }

  async function prepare(shape: Shape): Promise<Prepared> {
    const command = await commandOf(shape);
    return {
      openWorkspace: (token) => openWorkspace({ root: workRoot, token, language: shape.language, audience: 'process' }),
      launch: (workspace) => ({
        ...command,
        cwd: workspace.home,
        env: baseEnvironment(workspace, searchPath),
        places: workspace,
        handles: [],
        uid: undefined,
      }),
    };
  }

  return { level: 'subprocess', wrapped: false, prepare, close: () => Promise.resolve() };
}
