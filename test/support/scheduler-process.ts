/** A scheduler as a process of its own. */
import { readSettings } from '@lattice/config';
import { runPart } from './part';
import { startScheduler } from './scheduler-part';

runPart((hooks) => startScheduler(readSettings(process.env), hooks));
