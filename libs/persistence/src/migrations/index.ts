import { Admissions1767484800000 } from './admissions';
import { Artifacts1767830400000 } from './artifacts';
import { ChildRuns1767312000000 } from './child-runs';
import { Initial1767225600000 } from './initial';
import { KeptRounds1768089600000 } from './kept-rounds';
import { Reruns1767571200000 } from './reruns';
import { Secrets1767916800000 } from './secrets';
import { TaskCache1767744000000 } from './task-cache';
import { Schedules1767398400000 } from './schedules';
import { StoppingRuns1768521600000 } from './stopping-runs';
import { UnusedDocuments1768694400000 } from './unused-documents';
import { WaitingEvents1768435200000 } from './waiting-events';

/** All migrations, oldest first. One that was released is never changed. */
export const MIGRATIONS = [
  Initial1767225600000,
  ChildRuns1767312000000,
  Schedules1767398400000,
  Admissions1767484800000,
  Reruns1767571200000,
  TaskCache1767744000000,
  Artifacts1767830400000,
  Secrets1767916800000,
  KeptRounds1768089600000,
  WaitingEvents1768435200000,
  StoppingRuns1768521600000,
  UnusedDocuments1768694400000,
];
