import type { Scenario } from '../scenario';
import { kills } from './kills';
import { postgresStopped, redisEmptied, redisKilled, redisOlder } from './redis';

/** In the order in which they run. */
export const scenarios: readonly Scenario[] = [kills, redisKilled, redisEmptied, redisOlder, postgresStopped];
