import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { importStation } from '@lattice/importers';
import { parseDocumentText } from '@lattice/flow';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';
import { signalRun } from '@lattice/engine';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await TestPlatform.running();
});
afterEach(() => platform.settled());
afterAll(() => platform.close());

type Document = Record<string, unknown> & { tasks: Record<string, object> };

function imported(value: unknown): Document {
  const result = importStation(value);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.workflow;
}

/** A file of Station, whose agents give their input. */
function sample(name: string, replaced: Record<string, object> = {}): Document {
  const file = join(__dirname, '..', '..', '..', 'libs', 'importers', 'samples', 'station', `${name}.workflow.yaml`);
  const document = imported(parseDocumentText(readFileSync(file, 'utf8'), 'yaml'));
  const echoing = JSON.parse(
    JSON.stringify(document).replaceAll(/"handler\/agent\.[^"]*"/g, '"handler/echo"'),
  ) as Document;
  return { ...echoing, tasks: { ...echoing.tasks, ...replaced } };
}

async function answer(runId: string, name: string, payload: unknown): Promise<void> {
  await eventually('the run waits', async () => (await platform.read(runId)).status === 'waiting' || undefined);
  await signalRun(platform.engine, { runId, name, payload, sender: 'test' });
}

const statuses = (run: { tasks: readonly { key: string; status: string }[] }): Record<string, string> =>
  Object.fromEntries(run.tasks.map(({ key, status }) => [key, status]));

const PIPELINE = `
id: pipeline
inputSchema:
  properties:
    severity: { type: string }
    services: { type: array }
    namespace: { type: string, default: production }
  required: [severity, services]
start: gather
states:
  - id: gather
    type: parallel
    branches:
      - name: pods-check
        states:
          - { id: pods, type: agent, agent: echo, input: { count: 3, where: "$.namespace" }, output: { pod_data: "$.result" } }
      - name: logs
        states:
          - { id: first, type: inject, data: { lines: [a, b] }, resultPath: logs_read }
          - { id: second, type: transform, expression: "{'lines': len(logs_read.lines), 'of': namespace}" }
    output: { found: "$.branches" }
    transition: each
  - id: each
    type: foreach
    itemsPath: $.services
    itemName: service
    maxConcurrency: 2
    iterator:
      start: route_one
      states:
        - id: route_one
          type: switch
          dataPath: $.service
          conditions: [{ if: "hasattr(service, 'critical') and service.critical == True", next: loud }]
          defaultNext: quiet
        - { id: loud, type: agent, agent: echo, input: { text: "page for {{ service.name }} in \${namespace}" }, output: { said: "$.result.text" }, end: true }
        - { id: quiet, type: inject, data: { text: "note \${service.name}" }, output: { said: "$.data.text" }, end: true }
    resultPath: checks
    transition: route
  - id: route
    type: switch
    dataPath: $.severity
    conditions:
      - { if: "_value == 'critical'", next: ask }
      - { if: "severity == 'high' or found.pods_check.pod_data.count > 100", next: risky }
    defaultNext: report
  - { id: ask, type: operation, input: { task: human.approval, message: "Go on with {{ severity }}?", timeout_seconds: 60 }, output: { decision: "$.result" }, transition: risky }
  - id: risky
    type: try
    try: { states: [{ id: attempt, type: operation, input: { task: fail } }] }
    catch: { states: [{ id: rescued, type: inject, data: { why: "{{ _error }}" }, output: { rescue: "$.data.why" } }] }
    finally: { states: [{ id: swept, type: timer, duration: 10ms }] }
    transition: report
  - id: report
    type: transform
    expression: |
      # What happened.
      counts = found.logs.lines
      {
        "lines": counts,
        "pods": found.pods_check.pod_data.count,
        "said": [check.said for check in checks],
        "approved": getattr(decision, "approved", False) if hasattr(ctx, "decision") else False,
        "rescue": ctx.get("rescue", "none"),
      }
    output: { final: "$.result" }
    end: true
`;

describe('a workflow of Station with parallel, foreach, switch, approval and try', () => {
  const text = PIPELINE.replaceAll('handler/operation.fail', 'handler/fail');
  const value = parseDocumentText(text, 'yaml');
  const document = JSON.parse(
    JSON.stringify(imported(value)).replace('handler/operation.fail', 'handler/fail'),
  ) as Document;
  const services = [{ name: 'api', critical: true }, { name: 'web' }];

  test('goes the way of the approval', async () => {
    const runId = await platform.submit(document, { inputs: { severity: 'critical', services } });
    await answer(runId, 'ask', { approved: true });
    const run = await platform.wait(runId);
    expect(run.tasks.filter(({ error }) => error !== null)).toEqual([]);
    expect(run.outputs).toEqual({
      result: {
        lines: 2,
        pods: 3,
        said: ['page for api in production', 'note web'],
        approved: true,
        rescue: expect.stringContaining('fails') as string,
      },
    });
  });

  test.each([
    ['high', { approved: false, rescue: expect.stringContaining('fails') as string }, 'completed'],
    ['low', { approved: false, rescue: 'none' }, 'skipped'],
  ])('goes the way of %s', async (severity, found, risky) => {
    const run = await platform.run(document, { inputs: { severity, services: services.slice(1), namespace_: 'test' } });
    expect(run.tasks.filter(({ error }) => error !== null)).toEqual([]);
    expect(run.outputs).toEqual({ result: { lines: 2, pods: 3, said: ['note web'], ...found } });
    expect(statuses(run)).toMatchObject({ ask: 'skipped', risky, report: 'completed' });
  });

  test('fails when nobody may go on', async () => {
    const runId = await platform.submit(document, { inputs: { severity: 'critical', services: [] } });
    await answer(runId, 'ask', { approved: false });
    expect(await platform.wait(runId)).toMatchObject({ status: 'failed' });
  });
});

test.each([
  [
    'e2e-switch-routing',
    {},
    { high_severity_response: 'completed', analyze_high: 'completed', critical_response: 'skipped' },
  ],
  [
    'daily-infrastructure-health',
    {},
    { check_services: 'completed', cloud_analysis: 'completed', generate_report: 'completed' },
  ],
  [
    'deployment-validation',
    {},
    { deployment_success: 'completed', trigger_rollback: 'skipped', abort_deployment: 'skipped' },
  ],
  ['incident-response-pipeline', {}, { high_priority_response: 'completed', critical_escalation: 'skipped' }],
  [
    'dataflow-foreach',
    { task: 't', services: [{ name: 'a', namespace: 'n' }] },
    { generate_alert_report: 'completed', generate_ok_report: 'skipped' },
  ],
])('runs the example %s', async (name, inputs, expected) => {
  const run = await platform.run(sample(name), { inputs });
  expect(run.status).toBe('completed');
  expect(statuses(run)).toMatchObject(expected);
});

test.each([
  [0.9, true, { block_ip: 'completed', notify_completion: 'completed', log_incident: 'skipped' }],
  [
    0.1,
    undefined,
    { request_approval: 'skipped', handle_approval: 'skipped', log_incident: 'completed', block_ip: 'skipped' },
  ],
])('runs the example of an approval: risk %d', async (risk_score, approved, expected) => {
  const analysis = { risk_score, reason: 'r', ticket_id: 1 };
  const document = sample('slack-approval-escalation', { analyze_ip: { uses: 'transform', with: analysis } });
  const runId = await platform.submit(document, { inputs: { ip: '192.0.2.1' } });
  if (approved !== undefined) await answer(runId, 'request_approval', { approved });
  const run = await platform.wait(runId);
  expect(run.status).toBe('completed');
  expect(statuses(run)).toMatchObject(expected);
});
