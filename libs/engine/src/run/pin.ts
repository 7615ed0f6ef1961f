import type { Logger } from '@lattice/config';
import type { Disposal, Taken } from '@lattice/queue';

/** What is to be done about a run: go on with it, move it to the version here, or leave it to processes of its version. */
export type Standing = 'same' | 'older' | 'newer';

/** A job of a run that is held up is looked at again after so long; each time it is taken after twice as long, up to the most. */
const FIRST_MS = 250;
const MOST_MS = 8_000;
/** How often the log says that runs are left alone. */
const SAY_MS = 10_000;

/**
 * A run goes by the plans of one version. This process may begin its tasks and count its gates when that is the version of its
 * own compiler; an older run waits for a scheduler that moves it on, a newer one for processes of its version.
 */
export class Pin {
  private saidAt = Number.NEGATIVE_INFINITY;

  constructor(
    readonly version: number,
    private readonly log: Logger,
  ) {}

  holds(version: number): boolean {
    return version === this.version;
  }

  /** How a run stands, by the version in its hash; below 0 it is being moved to that version. */
  standingOf(version: number): Standing {
    if (version === this.version) return 'same';
    return Math.abs(version) > this.version ? 'newer' : 'older';
  }

  /** Gives back a job of a run that is being moved to another version. */
  putOff({ runId, job }: Taken, version: number): Disposal {
    this.tell(runId, version);
    const about = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(10, Math.max(0, job.attemptsStarted - 1)));
    return { do: 'delay', ms: about };
  }

  /** Says, once in a while, that a run is left alone. */
  tell(runId: string, version: number): void {
    if (Date.now() - this.saidAt < SAY_MS) return;
    this.saidAt = Date.now();
    const about = { runId, version: Math.abs(version), own: this.version };
    if (this.standingOf(version) === 'newer')
      this.log.warn(about, 'runs go by plans of a newer version; they are left to newer processes: upgrade this one');
    else this.log.info(about, 'runs go by plans of an older version; they wait for a scheduler that moves them on');
  }
}
