import type { ArtifactStore } from '@lattice/artifacts';
import type { Logger, Settings } from '@lattice/config';
import type { Database } from '@lattice/persistence';
import type { QueueConnection } from '@lattice/queue';

/** What every part of the engine works with: the two stores and that of artifacts, the settings, the logger. Made once by an app's wiring. */
export interface Engine {
  readonly db: Database;
  readonly queue: QueueConnection;
  readonly artifacts: ArtifactStore;
  readonly settings: Settings;
  readonly log: Logger;
}
