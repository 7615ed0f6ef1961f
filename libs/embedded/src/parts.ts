import { startApps, type StartApps } from './apps';
import { EmbeddedError, embeddedCodes } from './errors';
import type { HomePaths } from './home';
import { describeExit, lastWords, type ManagedProcess, type ProcessExit } from './managed-process';
import { launchServices, type ServiceOptions, type Services } from './services';

/** A part that ended by itself. The others keep serving; it is not started again, so that the fault stays visible. */
export interface PartExit extends ProcessExit {
  readonly name: string;
  /** "The worker died (signal SIGKILL)" and what its log says last of what went wrong. */
  readonly message: string;
  readonly logFile: string;
}

export type ExitListener = (exit: PartExit) => void;

/** Everything a platform runs: starts it in order, ends it in the reverse, and tells when a part ends by itself. */
export class Parts {
  private services: Services | undefined;
  private apps: ManagedProcess[] = [];
  private readonly exits: PartExit[] = [];
  private readonly listeners: ExitListener[] = [];

  constructor(private readonly paths: HomePaths) {}

  async startServices(options: Omit<ServiceOptions, 'home' | 'onExit'>): Promise<Services> {
    this.services = await launchServices(this.paths, { ...options, onExit: (process) => this.report(process) });
    return this.services;
  }

  startApps(options: Omit<StartApps, 'paths'>): readonly ManagedProcess[] {
    this.apps = startApps({ paths: this.paths, ...options });
    for (const app of this.apps) app.onExit(() => this.report(app));
    return this.apps;
  }

  /** Calls back for every exit, those that already happened included. */
  onExit(listener: ExitListener): void {
    this.listeners.push(listener);
    for (const exit of this.exits) listener(exit);
  }

  /** The apps one after the other, worker first: what it hands back still needs the others. Then the services. */
  async stop(): Promise<void> {
    for (const app of this.apps) await app.stop();
    await this.services?.stop();
  }

  kill(): void {
    for (const app of this.apps) app.kill();
    this.services?.kill();
  }

  private report(part: ManagedProcess): void {
    const how = part.exit();
    if (!how || part.stopping()) return;
    const message = [`The ${part.name} died (${describeExit(how)})`, lastWords(part)]
      .filter((text) => text !== '')
      .join(':\n');
    const exit: PartExit = { name: part.name, message, logFile: part.log.path, ...how };
    this.exits.push(exit);
    for (const listener of this.listeners) listener(exit);
  }
}

export function stoppedEarly(): EmbeddedError {
  return new EmbeddedError(embeddedCodes.stopped, 'Stopped before the platform was ready.');
}
