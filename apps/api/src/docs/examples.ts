const GREET = {
  name: 'greet',
  inputs: { who: { type: 'string', default: 'world' } },
  tasks: {
    greet: {
      uses: 'code',
      with: {
        language: 'javascript',
        source: 'export default ({ who }) => ({ text: `hello ${who}` })',
        input: { who: '${{ inputs.who }}' },
      },
    },
  },
  outputs: { text: '${{ tasks.greet.output.text }}' },
};

/** What the documentation shows for the bodies of requests, and for what goes wrong, by the name of the schema; each fits it. */
export const EXAMPLES: Readonly<Record<string, unknown>> = {
  CreateKey: { name: 'dashboard', scope: 'viewer' },
  Drain: { timeout: '5m' },
  Flush: { handler: 'embed' },
  ForkRun: { from: 'greet', inputs: { who: 'Grace' } },
  McpMessage: { jsonrpc: '2.0', id: 1, method: 'tools/list' },
  Problem: {
    type: 'urn:lattice:error:invalid_document',
    title: 'Invalid document',
    status: 422,
    code: 'invalid_document',
    detail: 'The document has a fault. At /tasks/a/needs/0: there is no task "b"',
    faults: [
      {
        code: 'unknown_dependency',
        pointer: '/tasks/a/needs/0',
        message: 'there is no task "b"',
        hint: 'Name a task of this document.',
      },
    ],
  },
  PutSecret: { value: 'correct-horse-battery' },
  RerunTask: { downstream: false },
  Schedule: {
    name: 'nightly',
    workflow: 'greet',
    cron: '0 3 * * *',
    timezone: 'Europe/Berlin',
    inputs: { who: 'night owls' },
  },
  SchedulePatch: { cron: '0 4 * * *', paused: false },
  SignalPayload: { approved: true, comment: 'Go on.' },
  Submitted: { runId: '019c0a3e-7c1d-7a52-8f6e-2b7d9c4e5f60' },
  SubmitRun: { workflow: GREET, inputs: { who: 'Ada' }, priority: 10, tags: ['first'] },
  Timing: { cron: '0 3 * * *', timezone: 'Europe/Berlin' },
  WorkflowDocument: GREET,
};

/** A file that `POST /v1/import/codomyrmex` takes. */
export const IMPORT_EXAMPLE = {
  name: 'nightly',
  steps: [
    { name: 'fetch', module: 'web', action: 'get', parameters: { url: '{{url}}' } },
    { name: 'count', module: 'text', action: 'count', parameters: { text: '{{fetch.output}}' } },
  ],
};
