import type { Tool } from '../tool';
import { cancelRun, pauseRun, resumeRun, retryRun } from './control-run';
import { forkRun } from './fork-run';
import { getRun } from './get-run';
import { getRunReport } from './get-run-report';
import { getWorkflow } from './get-workflow';
import { listRuns } from './list-runs';
import { listWorkers } from './list-workers';
import { listWorkflows } from './list-workflows';
import { readLogs } from './read-logs';
import { readValue } from './read-value';
import { rerunTask } from './rerun-task';
import { runWorkflow } from './run-workflow';
import { saveWorkflow } from './save-workflow';
import { answerApproval, signalRun } from './signal-run';
import { validateWorkflow } from './validate-workflow';
import { waitForRun } from './wait-for-run';
import { workflowGuide } from './workflow-guide';

/** Every tool there is, in the order in which clients show them. */
export const TOOLS: readonly Tool[] = [
  listWorkflows,
  getWorkflow,
  workflowGuide,
  validateWorkflow,
  saveWorkflow,
  runWorkflow,
  waitForRun,
  listRuns,
  getRun,
  readValue,
  readLogs,
  getRunReport,
  listWorkers,
  cancelRun,
  pauseRun,
  resumeRun,
  retryRun,
  rerunTask,
  forkRun,
  signalRun,
  answerApproval,
];
