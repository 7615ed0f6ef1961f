import { Readable } from 'node:stream';
import { LatticeError, filePathSchema, type Artifact } from '@lattice/contracts';
import type { ArtifactBody, Execution, HandlerArtifacts, Outcome } from '../port';

/** The files that a handler saves and reads. What it saved, awaited or not, is part of how its attempt ends. */
export class OwnArtifacts implements HandlerArtifacts {
  private readonly saving: Promise<Artifact>[] = [];
  private readonly names: string[] = [];
  private readonly over = new AbortController();
  private readonly signal: AbortSignal;
  private bytes = 0;

  constructor(
    private readonly execution: Pick<Execution, 'artifacts' | 'openArtifact'>,
    signal: AbortSignal,
  ) {
    this.signal = AbortSignal.any([signal, this.over.signal]);
  }

  // Arrow functions: handlers take them out of their context, as the others.
  readonly save = (name: string, body: ArtifactBody): Promise<Artifact> => {
    const saving = this.store(name, body);
    // One that nobody awaits must not end the process; the outcome tells of it.
    saving.catch(() => undefined);
    this.saving.push(saving);
    return saving;
  };

  readonly read = async (artifact: string | Pick<Artifact, 'id'>): Promise<Readable> => {
    const { openArtifact } = this.execution;
    if (openArtifact === undefined) throw notHere();
    this.signal.throwIfAborted();
    return openArtifact(typeof artifact === 'string' ? artifact : artifact.id, this.signal);
  };

  /** The outcome with what was saved: of a save that failed its error, also when the handler made nothing of that. */
  async end(outcome: Outcome, outcomeOf: (error: unknown) => Outcome): Promise<Outcome> {
    if (outcome.status !== 'completed') this.over.abort();
    const saved: Artifact[] = [];
    try {
      // More may be saved while one is waited for.
      for (const saving of this.saving) saved.push(await saving);
    } catch (error) {
      return outcome.status === 'completed' ? outcomeOf(error) : outcome;
    } finally {
      this.over.abort();
    }
    if (outcome.status !== 'completed' || saved.length === 0) return outcome;
    return { ...outcome, artifacts: saved.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  }

  private async store(name: string, body: ArtifactBody): Promise<Artifact> {
    const keeper = this.execution.artifacts;
    if (keeper === undefined) throw notHere();
    this.signal.throwIfAborted();
    this.take(name, keeper.maxCount);
    const fault: { error?: unknown } = {};
    const file = {
      name,
      size: keeper.maxBytes,
      read: () => Promise.resolve(Readable.from(this.counted(body, keeper.maxBytes, fault), { objectMode: false })),
    };
    try {
      const [artifact] = await keeper.keep([file], this.signal);
      if (artifact === undefined) throw new LatticeError('internal', `nothing was stored of ${name}`);
      return artifact;
    } catch (error) {
      // A store may say no more than that the bytes ended early.
      throw fault.error ?? error;
    }
  }

  private take(name: string, maxCount: number): void {
    const checked = filePathSchema.safeParse(name);
    if (!checked.success)
      throw refused(`${JSON.stringify(name)} can't be its name: ${checked.error.issues[0]?.message ?? ''}`);
    const other = this.names.find((one) => one === name || one.startsWith(`${name}/`) || name.startsWith(`${one}/`));
    if (other !== undefined) throw refused(`${JSON.stringify(name)} is refused: there is ${JSON.stringify(other)}`);
    if (this.names.length >= maxCount)
      throw new LatticeError('artifacts_too_large', `the task saved more than ${maxCount} files`);
    this.names.push(name);
  }

  /** The bytes of a body, counted together with those of all others. */
  private async *counted(body: ArtifactBody, maxBytes: number, fault: { error?: unknown }): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of typeof body === 'string' || body instanceof Uint8Array ? [body] : body) {
        const bytes: unknown = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
        if (!(bytes instanceof Uint8Array)) throw refused(`what is to be saved gave a ${typeof chunk}, not bytes`);
        this.bytes += bytes.length;
        if (this.bytes > maxBytes)
          throw new LatticeError('artifacts_too_large', `the task saved more than ${maxBytes} bytes`);
        yield bytes;
      }
    } catch (error) {
      fault.error = error;
      throw error;
    }
  }
}

function refused(message: string): LatticeError {
  return new LatticeError('artifact_refused', message);
}

function notHere(): LatticeError {
  return refused('a handler has artifacts of a task of its own only, not where it works on a batch');
}
