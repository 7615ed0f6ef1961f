import { LatticeError } from '@lattice/contracts';
import type { LogChunk, Outcome } from '@lattice/executor';
import type { Scope } from '@lattice/expression';
import type { TaskDefinition } from '@lattice/flow';
import { maskOf, type Mask } from '../secrets/mask';
import { maskOutcome } from '../secrets/mask-outcome';
import { openSecrets } from '../secrets/open-secrets';
import type { Runtime } from '../runtime';
import { prepare } from './execution';
import { whenConnected } from './when-connected';

/**
 * Does the work of an attempt whose task uses secrets: they are read now, go into what is run, and are masked in what comes out. Throws
 * LatticeError when one can't be had.
 */
export async function withSecrets(
  context: { readonly runtime: Runtime; readonly outside?: boolean },
  { task, scope, signal }: { task: TaskDefinition; scope: Scope; signal: AbortSignal },
  work: (prepared: ReturnType<typeof prepare>, mask: Mask) => Promise<Outcome>,
): Promise<Outcome> {
  const { runtime } = context;
  const names = task.references.secrets;
  if (context.outside === true) {
    const message = `the task uses secret ${[...names].join(', ')}, and was taken by a worker outside of the platform`;
    throw new LatticeError('secret_not_given', message);
  }
  const secrets = await whenConnected(signal, () => openSecrets(runtime, names));
  if (signal.aborted) return { status: 'cancelled' };
  const mask = maskOf(Object.values(secrets));
  return maskOutcome(mask, await work(prepare(task, { ...scope, secrets }, runtime.settings), mask));
}

/** A log on its way, its secrets masked; each of the two streams by itself. */
export interface MaskedLog {
  write(chunk: LogChunk): void | Promise<void>;
  /** Passes on what was held back. */
  end(): void;
}

/** Masks a log before it is passed on to the sink. */
export function maskLog(mask: Mask, sink: (chunk: LogChunk) => void | Promise<void>): MaskedLog {
  const streams = { stdout: mask.stream(), stderr: mask.stream() };
  return {
    write: ({ stream, text, at }) => {
      const masked = streams[stream].write(text);
      return masked === '' ? undefined : sink({ stream, text: masked, at });
    },
    end: () => {
      for (const stream of ['stdout', 'stderr'] as const) {
        const text = streams[stream].end();
        if (text !== '') void sink({ stream, text, at: Date.now() });
      }
    },
  };
}
