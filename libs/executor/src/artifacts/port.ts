import type { Readable } from 'node:stream';
import type { Artifact } from '@lattice/contracts';

/** A file that a task is given before it starts. */
export interface GivenFile {
  /** Path below the folder of files, with / between folders. */
  readonly name: string;
  read(signal: AbortSignal): Promise<Readable>;
}

/** A file that a task left. */
export interface LeftFile {
  /** Path below the folder, with / between folders. */
  readonly name: string;
  readonly size: number;
  /** Its bytes; while the execution has not ended. */
  read(): Promise<Readable>;
}

/** What a task may leave. */
export interface ArtifactBounds {
  /** Bytes of all files together. */
  readonly maxBytes: number;
  readonly maxCount: number;
}

/** What becomes of the files that a task leaves in its folder of artifacts. */
export interface ArtifactKeeper extends ArtifactBounds {
  /** Keeps them, or rejects: then the execution fails with that error. The abort of the signal gives up. */
  keep(files: readonly LeftFile[], signal: AbortSignal): Promise<readonly Artifact[]>;
}
