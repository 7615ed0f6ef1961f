import type { Executors, GpuGrant, LabelSetter, Outcome } from '@lattice/executor';
import type { Settings } from '@lattice/config';
import type { Member } from './collector';
import { splitAnswer } from './split-answer';
import { BATCH_PREFIX } from './wrap-handlers';

export interface BatchCall {
  readonly executors: Executors;
  readonly settings: Settings;
  readonly handler: string;
  readonly gpus: GpuGrant | undefined;
  readonly labels: LabelSetter;
}

/** A batch that is being done. */
export interface RunningBatch {
  /** Resolves when all members have their outcomes. */
  readonly ended: Promise<void>;
  /** A member does not want its outcome any more; when none does, the handler is told to stop. */
  forget(member: Member): void;
}

/** Calls the handler once for all members. Each gets its own outcome, in their order. */
export function doBatch(call: BatchCall, members: readonly Member[], key: string): RunningBatch {
  const { executors, settings, handler, gpus, labels } = call;
  const wanted = new Set(members);
  const each = (tell: (member: Member) => void): void => {
    for (const member of wanted) tell(member);
  };
  const handle = executors.forTask(`handler/${handler}`, 'none').submit({
    id: `batch of ${members.length}`,
    uses: `handler/${BATCH_PREFIX}${handler}`,
    input: members.map(({ input }) => input),
    batch: { key, members: members.map(({ runId, taskKey, attempt }) => ({ runId, taskKey, attempt })) },
    labels,
    ...(gpus === undefined ? {} : { gpus }),
    env: {},
    limits: {
      graceMs: settings.worker.grace,
      // Each output has the limit of its own; what the list adds is little.
      outputBytes: members.length * (settings.maxOutput + 1_024),
      logBytes: settings.maxLog,
    },
    onLog: ({ text }) => each((member) => member.log(text)),
    onProgress: (percent, text) => each((member) => member.progress(percent, text)),
    onAlive: () => each((member) => member.alive()),
  });
  const ended = handle.result().then((outcome: Outcome) => {
    const outcomes = splitAnswer(outcome, members.length, settings.maxOutput);
    for (const [index, member] of members.entries()) member.settle(outcomes[index] ?? outcome);
  });
  return {
    ended,
    forget: (member) => {
      wanted.delete(member);
      if (wanted.size === 0) void handle.cancel('no member of the batch wants it any more');
    },
  };
}
