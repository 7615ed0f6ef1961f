import { holdWords } from '../warm/hold';
import { openWorkspace } from '../workspace';
import { scriptEnvironment, scriptWords } from '../script/script-words';
import { baseEnvironment, prlimitArgs, runnerWords, RUNNERS_FOLDER } from './command';
import type { Launcher, Prepared, Shape } from './launcher';
import type { Tools } from './tools';

/** Level `subprocess`: the interpreter itself, wrapped in what applies the limits of the kernel. The wrappers replace themselves: one process. */
export function createSubprocessLauncher(options: { workRoot: string; searchPath: string; tools: Tools }): Launcher {
  const { workRoot, searchPath, tools } = options;

  async function wrappersOf(shape: Shape): Promise<string[]> {
    const prlimit = await tools.prlimit();
    const limits = prlimit === undefined ? [] : [...prlimit, ...prlimitArgs(shape)];
    // The guardian does the same and more, a moment later.
    return (await tools.setpriv()) ? [...limits, 'setpriv', '--pdeathsig', 'KILL'] : limits;
  }

  async function prepare(shape: Shape): Promise<Prepared> {
    const wrappers = await wrappersOf(shape);
    const interpreter = shape.language === 'python' ? await tools.python() : process.execPath;
    const runner = runnerWords(shape, interpreter, RUNNERS_FOLDER);
    return {
      openWorkspace: (token) => openWorkspace({ root: workRoot, token, language: shape.language, audience: 'process' }),
      launch(workspace, { held, script }) {
        const words = script === undefined ? runner : scriptWords(script);
        const [file = '', ...args] = [...wrappers, ...(held ? holdWords(workspace.start, words) : words)];
        const env = { ...baseEnvironment(workspace, searchPath), ...scriptEnvironment(script?.folder) };
        const cwd = script?.folder ?? workspace.home;
        return { file, args, cwd, env, places: workspace, handles: [], uid: undefined };
      },
    };
  }

  return { level: 'subprocess', wrapped: false, memoryFolders: [], prepare, close: () => Promise.resolve() };
}
