import { tellWait, type RunReport, type TaskView } from '@lattice/contracts';

/** So many tasks, attempts and letters of a JSON value are shown. */
const MOST_ROWS = 500;
const MOST_JSON = 20_000;

/** The report of a run as Markdown. */
export function renderReport({ run, attempts }: RunReport): string {
  const { summary } = run;
  const facts: [string, string][] = [
    ['Run', run.runId],
    ['Workflow', run.version === null ? run.workflow : `${run.workflow} (version ${run.version})`],
    ['Status', run.status],
    ...(run.error === null ? [] : ([['Error', `${run.error.code}: ${run.error.message}`]] as [string, string][])),
    ...(run.tags.length === 0 ? [] : ([['Tags', run.tags.join(', ')]] as [string, string][])),
    ['Created', run.createdAt],
    ['Started', run.startedAt ?? ''],
    ['Finished', run.finishedAt ?? ''],
    ['Elapsed', duration(summary?.elapsed)],
    ['In the queue', duration(summary?.queueTime)],
    ['Attempts', `${summary?.attempts ?? 0} (${summary?.retries ?? 0} beyond the first of their task)`],
  ];
  const blocks = [
    `# ${line(run.workflow)}: ${run.status}`,
    table(['', ''], facts),
    section('Tasks', tasksTable(run.tasks)),
    section('Critical path', pathTable(summary)),
    section('Slowest tasks', slowestTable(summary)),
    section('Failed attempts', failuresTable(attempts)),
    json('Inputs', run.inputs),
    json('Outputs', run.outputs),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function tasksTable(tasks: readonly TaskView[]): string {
  const rows = tasks.map((task) => [
    task.key,
    task.status,
    String(task.attempts),
    duration(task.executionTime),
    task.workerId ?? '',
    task.error === null ? (tellWait(task) ?? task.reason ?? '') : `${task.error.code}: ${task.error.message}`,
  ]);
  return table(['Task', 'Status', 'Attempts', 'Took', 'Worker', 'Why'], rows);
}

function pathTable(summary: RunReport['run']['summary']): string {
  const rows = (summary?.criticalPath ?? []).map((step) => [step.key, duration(step.waited), duration(step.duration)]);
  return rows.length === 0 ? '' : table(['Task', 'Waited', 'Took'], rows);
}

function slowestTable(summary: RunReport['run']['summary']): string {
  const rows = (summary?.slowest ?? []).map(({ key, executionTime }) => [key, duration(executionTime)]);
  return rows.length === 0 ? '' : table(['Task', 'Took'], rows);
}

function failuresTable(attempts: RunReport['attempts']): string {
  const rows = attempts.flatMap(({ task, attempt, workerId, startedAt, duration: took, error }) =>
    error === null
      ? []
      : [[task, String(attempt), workerId, startedAt, duration(took), `${error.code}: ${error.message}`]],
  );
  return rows.length === 0 ? '' : table(['Task', 'Attempt', 'Worker', 'Started', 'Took', 'Error'], rows);
}

function section(title: string, body: string): string {
  return body === '' ? '' : `## ${title}\n\n${body}`;
}

function json(title: string, value: Record<string, unknown> | null): string {
  if (value === null || Object.keys(value).length === 0) return '';
  const text = JSON.stringify(value, null, 2);
  const shown =
    text.length > MOST_JSON ? `${text.slice(0, MOST_JSON)}\n… ${text.length - MOST_JSON} letters more` : text;
  // A fence longer than any within the value can't be closed by it.
  const fence = '`'.repeat(Math.max(3, ...(shown.match(/`+/g) ?? []).map(({ length }) => length + 1)));
  return section(title, `${fence}json\n${shown}\n${fence}`);
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const shown = rows.slice(0, MOST_ROWS);
  const lines = [titles, titles.map(() => '---'), ...shown.map((row) => row.map(line))];
  const text = lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  return rows.length > shown.length ? `${text}\n\n… ${rows.length - shown.length} more` : text;
}

/** Text that can't break out of its cell, nor become markup. */
function line(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_|<>[\]]/g, (letter) => `\\${letter}`);
}

function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '';
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
