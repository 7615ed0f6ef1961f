import type { RunEvent } from '@lattice/contracts';
import { LatticeClient, Unreachable } from '@lattice/sdk';
import type { World } from './world';

/** Followers of some runs over server-sent events, as a user of the SDK has them. */
export class Followers {
  private readonly following: { runId: string; seen: RunEvent[]; over: Promise<string | undefined> }[] = [];
  private readonly end = new AbortController();

  constructor(private readonly world: World) {}

  get count(): number {
    return this.following.length;
  }

  follow(runId: string): void {
    const client = new LatticeClient({ url: this.world.client.url, apiKey: this.world.adminKey });
    const seen: RunEvent[] = [];
    const read = async (): Promise<void> => {
      for (;;) {
        try {
          for await (const event of client.events(runId, { signal: this.end.signal })) seen.push(event);
          return;
        } catch (error) {
          // Whoever is not answered at all is to ask again; one that was is reconnected by the client.
          if (seen.length > 0 || !(error instanceof Unreachable)) throw error;
        }
      }
    };
    const over = read().then(
      () => undefined,
      (error: unknown) => String(error),
    );
    this.following.push({ runId, seen, over });
  }

  /** Every follower has ended with its run, and has seen each event once and in order. Call it when the runs have ended. */
  async faults(limitMs = 60_000): Promise<string[]> {
    const late = setTimeout(() => this.end.abort(new Error('the stream did not end with its run')), limitMs);
    const found = await Promise.all(
      this.following.map(async ({ runId, seen, over }) => {
        const error = await over;
        if (error !== undefined) return [`a follower of run ${runId}: ${error}`];
        const { rows } = await this.world.pg.query('select id from events where run_id = $1 order by id', [runId]);
        const ids = rows.map((row: { id: unknown }) => String(row.id)).join(' ');
        const had = seen.map(({ id }) => id).join(' ');
        return had === ids ? [] : [`a follower of run ${runId} had events ${had}, history ${ids}`];
      }),
    );
    clearTimeout(late);
    return found.flat();
  }
}
