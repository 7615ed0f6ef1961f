import type { Env, HomePaths } from '../home';

export interface StartRedis {
  readonly paths: HomePaths;
  readonly password: string;
  /** False: the append-only file is left to the operating system, for tests. */
  readonly fsync: boolean;
  readonly env: Env;
  readonly log: (line: string) => void;
}
