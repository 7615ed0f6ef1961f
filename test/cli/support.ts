import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LatticeClient } from '@lattice/sdk';
import { TestPlatform } from '../support/platform';
import { openRest, type Rest } from '../support/rest';

const root = join(__dirname, '..', '..');
export const bin = join(root, 'libs', 'cli', 'bin', 'lattice.js');

/** How a command ended, and what it wrote. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A command that runs. */
export interface Started {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly ended: Promise<Ended>;
}

/** A platform with its API, and the command line beside it in a folder of its own. */
export class CommandTest {
  readonly client: LatticeClient;
  private readonly children = new Set<ChildProcess>();

  private constructor(
    readonly platform: TestPlatform,
    readonly rest: Rest,
    readonly folder: string,
  ) {
    this.client = new LatticeClient({ url: rest.url, apiKey: rest.key });
  }

  /** With a scheduler, and so many workers. */
  static async open(workers = 1): Promise<CommandTest> {
    if (!existsSync(join(root, 'libs', 'cli', 'dist', 'main.js'))) throw new Error('build first: npm run build');
    const platform = await TestPlatform.open();
    await platform.scheduler();
    for (let n = 0; n < workers; n += 1) await platform.worker({ workerId: `worker-${n + 1}` });
    return new CommandTest(platform, await openRest(platform), mkdtempSync(join(tmpdir(), 'lattice-cli-')));
  }

  async close(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL');
    await this.rest.close();
    await this.platform.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Writes a file of the folder; executable when it begins with `#!`. */
  write(path: string, text: string): string {
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
    return file;
  }

  /** What the command sees: nothing of this process but PATH. */
  get env(): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      HOME: this.folder,
      LATTICE_URL: this.rest.url,
      LATTICE_API_KEY: this.rest.key,
      LATTICE_HOME: join(this.folder, '.lattice'),
    };
  }

  /** Runs `lattice` to its end. */
  lattice(...args: string[]): Promise<Ended> {
    return this.start(args).ended;
  }

  /** What `lattice --json` printed, of a command that must end with 0. */
  async json(...args: string[]): Promise<unknown> {
    const { code, out, err } = await this.lattice(...args, '--json');
    if (code !== 0) throw new Error(`lattice ${args.join(' ')} ended with ${code}: ${out}${err}`);
    return JSON.parse(out);
  }

  /** Ends with the test. */
  watch(child: ChildProcess): void {
    this.children.add(child);
    child.once('close', () => this.children.delete(child));
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: this.folder,
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.watch(child);
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const ended = new Promise<Ended>((resolve) =>
      child.once('close', (code) => {
        resolve({ code, out, err });
      }),
    );
    return { child, out: () => out, ended };
  }
}
