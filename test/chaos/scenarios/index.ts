import type { Scenario } from '../scenario';
import { controlCutOff, workersCutOff } from './cuts';
import { frozen } from './frozen';
import { kills } from './kills';
import { poisons } from './poison';
import { postgresStopped, redisEmptied, redisKilled, redisOlder } from './redis';
import { schedulersKilled } from './schedulers';
import { schedules } from './schedules';

/** In the order in which they run. */
export const scenarios: readonly Scenario[] = [
  kills,
  redisKilled,
  redisEmptied,
  redisOlder,
  postgresStopped,
  frozen,
  workersCutOff,
  controlCutOff,
  schedulersKilled,
  schedules,
  poisons,
];
