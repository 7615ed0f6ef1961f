import { hostname } from 'node:os';
import type { Labels } from './labels';

/** Labels that every worker has without being told. Those that are set by hand come before them. */
export function foundLabels(workerId: string): Labels {
  return { 'worker.id': workerId, host: hostname(), os: process.platform, arch: process.arch };
}
