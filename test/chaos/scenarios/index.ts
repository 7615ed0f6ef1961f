import type { Scenario } from '../scenario';
import { kills } from './kills';
import { postgresStopped, redisEmptied, redisKilled, redisOlder } from './redis';
import { schedules } from './schedules';

/** In the order in which they run. */
export const scenarios: readonly Scenario[] = [
  kills,
  schedules,
  redisKilled,
  redisEmptied,
  redisOlder,
  postgresStopped,
];
