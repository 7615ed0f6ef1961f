import type { WorkerView } from '@lattice/contracts';
import type { Engine } from '../context';
import { readWorkers } from '../read/read-workers';

/** Milliseconds between two looks at the workers while somebody follows them. */
const LOOK_MS = 500;

/** What happened to the workers: all of them first, then each that changed, came or went. */
export type WorkersChange =
  | { readonly type: 'workers.list'; readonly workers: readonly WorkerView[] }
  | { readonly type: 'worker.changed'; readonly worker: WorkerView }
  | { readonly type: 'worker.left'; readonly workerId: string };

/** Gets the changes; a promise that it returns is waited for before it gets more. */
type Follower = (change: WorkersChange) => void | Promise<unknown>;

interface Following {
  /** The workers as the follower knows them; undefined before it was told of any. */
  known: Map<string, string> | undefined;
  busy: boolean;
}

/**
 * Tells followers in this process how the workers change, by one look at them for all: much of it (stale, offline) happens by
 * the mere passing of time. Without followers nothing is looked at.
 */
export class WorkersFeed {
  private readonly followers = new Map<Follower, Following>();
  private timer: NodeJS.Timeout | undefined;
  private looking = false;

  constructor(private readonly engine: Engine) {}

  /** Begins to tell of changes, all workers first. Returns what ends it. */
  follow(follower: Follower): () => void {
    this.followers.set(follower, { known: undefined, busy: false });
    this.timer ??= setInterval(() => void this.look(), LOOK_MS);
    void this.look();
    return () => {
      this.followers.delete(follower);
      if (this.followers.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  }

  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      const workers = await readWorkers(this.engine);
      for (const [follower, following] of this.followers) {
        if (!following.busy) void this.tell(follower, following, workers);
      }
    } catch (error) {
      this.engine.log.warn({ err: error }, 'the workers could not be looked at');
    } finally {
      this.looking = false;
    }
  }

  private async tell(follower: Follower, following: Following, workers: readonly WorkerView[]): Promise<void> {
    following.busy = true;
    try {
      for (const change of changesOf(following, workers)) {
        if (!this.followers.has(follower)) return;
        await follower(change);
      }
    } catch (error) {
      this.engine.log.debug({ err: error }, 'a follower of the workers could not be told');
    } finally {
      following.busy = false;
    }
  }
}

/** What is new to a follower, who is then taken to know it. */
function changesOf(following: Following, workers: readonly WorkerView[]): WorkersChange[] {
  const first = following.known === undefined;
  const known = (following.known ??= new Map<string, string>());
  const changed: WorkerView[] = [];
  for (const worker of workers) {
    const text = essence(worker);
    if (known.get(worker.workerId) === text) continue;
    known.set(worker.workerId, text);
    changed.push(worker);
  }
  if (first) return [{ type: 'workers.list', workers: changed }];
  const there = new Set(workers.map(({ workerId }) => workerId));
  const left = [...known.keys()].filter((workerId) => !there.has(workerId));
  for (const workerId of left) known.delete(workerId);
  return [
    ...changed.map((worker) => ({ type: 'worker.changed', worker }) as const),
    ...left.map((workerId) => ({ type: 'worker.left', workerId }) as const),
  ];
}

/** What a change of is worth telling: the heartbeat itself and the load of the machine are not. */
function essence({ seenAt: _seen, provedAt: _proved, load: _load, ...rest }: WorkerView): string {
  return JSON.stringify(rest);
}
