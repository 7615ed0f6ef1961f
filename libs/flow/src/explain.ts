import type { FlowPlan, PlanJob, PlanSegment } from './plan';
import type { Workflow } from './workflow';

/** A plan as text for people: the graph, then the segments with their jobs and gates, then the queues. */
export function renderPlan(plan: FlowPlan, workflow: Workflow): string {
  const count = Object.keys(plan.tasks).length;
  const jobs = plan.segments.reduce((sum, segment) => sum + countJobs(segment.job), 0);
  const lines = [
    `${workflow.document.name}: ${plural(count, 'task')} in ${plural(jobs, 'job')}, ${plural(plan.segments.length, 'segment')}, ${plural(plan.gates.length, 'gate')}`,
    `on failure ${plan.onFailure}, fusion ${plan.fuse ? 'on' : 'off'}`,
    '',
    'Graph',
    ...[...workflow.tasks.values()].map(
      (task) =>
        `  ${task.key}${task.needs.length === 0 ? '' : ` <- ${shorten(task.needs)}`}${task.guarded ? '  (decided at its gate)' : ''}`,
    ),
    '',
    'Flow plan',
    ...plan.segments.flatMap((segment, index) => segmentLines(segment, index, plan)),
    '',
    'Queues',
    ...Object.values(plan.classes).map((entry) => `  ${entry.name}`),
  ];
  return lines.join('\n');
}

function segmentLines(segment: PlanSegment, index: number, plan: FlowPlan): string[] {
  const after = segment.gate === null ? undefined : plan.gates[segment.gate]?.after;
  const when =
    after === undefined ? 'at the start' : `when ${shorten(after)} ${after.length === 1 ? 'has' : 'have'} ended`;
  return [`  segment ${index}, ${when}`, ...jobLines(segment.job, '    ')];
}

function jobLines(job: PlanJob, indent: string): string[] {
  const shown = job.children.slice(0, 20);
  const rest = job.children.length - shown.length;
  return [
    `${indent}${job.tasks.length > 1 ? `[${shorten(job.tasks, ' > ')}]` : job.id}  (${job.class})`,
    ...shown.flatMap((child) => jobLines(child, `${indent}  `)),
    ...(rest > 0 ? [`${indent}  and ${rest} more`] : []),
  ];
}

function countJobs(job: PlanJob): number {
  return 1 + job.children.reduce((sum, child) => sum + countJobs(child), 0);
}

function shorten(keys: readonly string[], separator = ', '): string {
  return keys.length <= 12
    ? keys.join(separator)
    : `${keys.slice(0, 10).join(separator)}${separator}... (${keys.length})`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
