import { spawn } from 'node:child_process';

export interface CommandResult {
  /** Null when it could not be started or ran past its limit. */
  readonly code: number | null;
  /** stdout and stderr together. */
  readonly output: string;
}

export interface CommandOptions {
  readonly timeoutMs: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly input?: string;
}

/** Runs a short helper command to its end; never throws. */
export function runCommand(command: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    // Not the option of spawn: its timer stays when the command can't be started, and keeps this process alive.
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
    const end = (code: number | null, text: string): void => {
      clearTimeout(timer);
      resolve({ code, output: text });
    };
    let output = '';
    const collect = (chunk: Buffer): void => void (output += chunk.toString('utf8'));
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    // A command that does not read its input closes the pipe: that is its right.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.once('error', (error) => end(null, error.message));
    child.once('close', (code) => end(code, output.trim()));
  });
}
