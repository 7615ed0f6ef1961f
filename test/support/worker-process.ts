/** A worker as a process of its own; LEDGER is the file that its handlers note their work in. */
import { readSettings } from '@lattice/config';
import { runPart } from './part';
import { startWorker } from './worker-part';

runPart((hooks) => startWorker(readSettings(process.env), process.env['LEDGER'] ?? '', hooks));
