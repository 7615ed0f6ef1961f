/**
 * Every error code of the platform, in one table: the HTTP status it answers with, its family, and what to do about it.
 * `docs/errors.md` is generated from here. A code is never renamed: clients match on it.
 *
 * Families: `request` (the call was wrong), `document` (a fault in a workflow document), `terminal` (a task or run ended so;
 * the same attempt would end so again), `retryable` (another attempt may succeed), `server` (ours).
 */
export const CODES = {
  // requests
  bad_request: { status: 400, family: 'request', hint: 'See the faults; each names the field.' },
  unparsable: {
    status: 400,
    family: 'request',
    hint: 'The body is not valid JSON or YAML; the message has line and column.',
  },
  unauthorized: {
    status: 401,
    family: 'request',
    hint: 'Send `Authorization: Bearer KEY`; the first key is in .lattice/admin.key.',
  },
  forbidden: { status: 403, family: 'request', hint: 'This key lacks the scope; ask for one that has it.' },
  not_found: { status: 404, family: 'request', hint: 'Nothing lives at this path.' },
  method_not_allowed: { status: 405, family: 'request', hint: 'See /docs for the methods of this path.' },
  run_not_found: { status: 404, family: 'request', hint: 'Check the id with GET /v1/runs.' },
  task_not_found: { status: 404, family: 'request', hint: 'Check the task keys with GET /v1/runs/:id.' },
  worker_not_found: { status: 404, family: 'request', hint: 'Check the id with GET /v1/workers.' },
  workflow_not_found: { status: 404, family: 'request', hint: 'Save the workflow first with POST /v1/workflows.' },
  schedule_not_found: { status: 404, family: 'request', hint: 'Check the name with GET /v1/schedules.' },
  artifact_not_found: {
    status: 404,
    family: 'request',
    hint: 'Check the id with GET /v1/runs/:id/artifacts; artifacts are removed with their run.',
  },
  secret_not_found: { status: 404, family: 'request', hint: 'Check the name with GET /v1/secrets.' },
  idempotency_conflict: {
    status: 409,
    family: 'request',
    hint: 'This Idempotency-Key was used with another body; use a new key.',
  },
  illegal_transition: {
    status: 409,
    family: 'request',
    hint: 'The run is in a state that does not allow this; see its status.',
  },
  precondition_failed: { status: 412, family: 'request', hint: 'Read it again, and send its new `ETag`.' },
  payload_too_large: {
    status: 413,
    family: 'request',
    hint: 'Bodies may hold up to 8 MiB; pass large data by reference.',
  },
  range_not_satisfiable: { status: 416, family: 'request', hint: 'Ask for bytes that the artifact has.' },
  unsupported_media_type: { status: 415, family: 'request', hint: 'Send application/json or application/yaml.' },
  invalid_document: {
    status: 422,
    family: 'request',
    hint: 'All faults are listed, each with a pointer into the document.',
  },
  invalid_inputs: { status: 422, family: 'request', hint: 'The inputs do not fit what the workflow declares.' },
  invalid_schedule: {
    status: 422,
    family: 'request',
    hint: 'All faults are listed, each with a pointer into the body.',
  },
  concurrency_limit: {
    status: 429,
    family: 'request',
    hint: 'As many runs as the workflow allows are active; try again when one has ended.',
  },
  too_many_requests: { status: 429, family: 'request', hint: 'Wait as long as Retry-After says.' },

  // faults in a document (listed together under invalid_document)
  unknown_field: { status: 422, family: 'document', hint: 'Remove it or correct its spelling.' },
  missing_field: { status: 422, family: 'document', hint: 'Add the field.' },
  bad_type: { status: 422, family: 'document', hint: 'Give a value of the type named.' },
  bad_value: { status: 422, family: 'document', hint: 'Give a value as the message says.' },
  bad_duration: { status: 422, family: 'document', hint: 'Write a number and a unit: 500ms, 30s, 5m.' },
  bad_size: { status: 422, family: 'document', hint: 'Write bytes, or 512Mi, 2Gi.' },
  bad_cron: {
    status: 422,
    family: 'document',
    hint: 'Write five fields, or six with seconds first: `0 9 * * 1-5` is 9:00 on weekdays.',
  },
  bad_time_zone: { status: 422, family: 'document', hint: 'Give an IANA name such as Europe/Berlin or UTC.' },
  bad_task_key: {
    status: 422,
    family: 'document',
    hint: 'Letters, digits and _, up to 63, not starting with a digit, no CEL word.',
  },
  bad_expression: {
    status: 422,
    family: 'document',
    hint: 'The text within ${{ }} is CEL; the message has the place.',
  },
  unknown_uses: {
    status: 422,
    family: 'document',
    hint: 'Use code, container, script, http, handler/NAME, transform, switch, map, loop, wait or workflow/NAME.',
  },
  unknown_dependency: { status: 422, family: 'document', hint: 'Name a task of this document.' },
  unreachable_reference: { status: 422, family: 'document', hint: 'Refer to inputs, run, or a task of this document.' },
  secret_misplaced: {
    status: 422,
    family: 'document',
    hint: 'Write ${{ secrets.NAME }} in env, or in headers of an http task: nowhere else, and with nothing computed from it.',
  },
  code_not_portable: {
    status: 422,
    family: 'document',
    hint: 'Pass values by inputs, import what the function needs, or make it a handler of a worker of yours.',
  },
  cycle: { status: 422, family: 'document', hint: 'Break the cycle that the message prints.' },
  duplicate: { status: 422, family: 'document', hint: 'Remove one of the two.' },
  too_many_tasks: { status: 422, family: 'document', hint: 'A run may hold up to 10,000 tasks; split the workflow.' },
  no_tasks: { status: 422, family: 'document', hint: 'A workflow needs at least one task.' },

  // tasks and runs that ended badly
  task_failed: { status: 500, family: 'retryable', hint: 'The task itself failed; its log says more.' },
  timeout: { status: 500, family: 'retryable', hint: 'Raise the limit, or make the task quicker.' },
  http_unreachable: {
    status: 500,
    family: 'retryable',
    hint: 'The server was not reached, or broke off; check the URL, and the network of the worker.',
  },
  http_status: {
    status: 500,
    family: 'terminal',
    hint: 'The status was not expected; 429 and 5xx are retryable. Name others that are fine in expect.',
  },
  response_too_large: {
    status: 500,
    family: 'terminal',
    hint: 'Raise maxBytes, or fetch it in a code task and return a reference.',
  },
  heartbeat_timeout: {
    status: 500,
    family: 'retryable',
    hint: 'Log a line, tell the progress or call ctx.heartbeat() more often, or raise heartbeat.',
  },
  out_of_memory: { status: 500, family: 'retryable', hint: 'Raise resources.memory.' },
  killed: { status: 500, family: 'retryable', hint: 'Something outside ended the process.' },
  queue_timeout: {
    status: 500,
    family: 'terminal',
    hint: 'The message says why no worker began it: start one that fits, free some, or raise queueTimeout.',
  },
  worker_lost: {
    status: 500,
    family: 'terminal',
    hint: 'Three workers were lost while they ran this task; does it bring them down?',
  },
  worker_stopped: {
    status: 500,
    family: 'retryable',
    hint: 'The worker was stopped before the task was done; another one does it again. It counts neither as a try nor as a loss.',
  },
  heartbeat_lost: { status: 409, family: 'retryable', hint: 'The worker lost its lease; the attempt was given up.' },
  output_not_json: {
    status: 500,
    family: 'terminal',
    hint: 'Return only JSON values: null, booleans, numbers, strings, lists, objects.',
  },
  output_too_large: {
    status: 500,
    family: 'terminal',
    hint: 'Write large results to a file in $LATTICE_ARTIFACTS, or raise LATTICE_MAX_OUTPUT.',
  },
  artifact_refused: {
    status: 422,
    family: 'terminal',
    hint: 'Leave only regular files and folders in $LATTICE_ARTIFACTS: no links, devices or sockets. In handlers: each name once, not in batches.',
  },
  artifact_not_granted: { status: 403, family: 'terminal', hint: 'Name the artifact in the inputs of the run.' },
  artifacts_too_large: {
    status: 413,
    family: 'terminal',
    hint: 'Leave less in $LATTICE_ARTIFACTS, or raise LATTICE_MAX_ARTIFACTS or LATTICE_MAX_ARTIFACT_COUNT.',
  },
  artifacts_unavailable: {
    status: 503,
    family: 'retryable',
    hint: 'The store of artifacts does not answer, or is another one than that of the worker; check LATTICE_ARTIFACTS.',
  },
  expression_failed: {
    status: 500,
    family: 'terminal',
    hint: 'An expression of the task could not be evaluated; the message names it.',
  },
  number_out_of_range: {
    status: 500,
    family: 'terminal',
    hint: 'Integers beyond 2^53 are not exact in JSON; use a string.',
  },
  output_gone: {
    status: 500,
    family: 'terminal',
    hint: 'What the task that the message names has made is no longer stored: rerun that task.',
  },
  dependency_failed: { status: 500, family: 'terminal', hint: 'A task it depends on failed.' },
  sandbox_failed: { status: 500, family: 'terminal', hint: 'The sandbox could not be set up at the level asked for.' },
  docker_unavailable: {
    status: 500,
    family: 'terminal',
    hint: 'Start a Docker engine on the worker, or run the task on one that has it.',
  },
  registry_denied: {
    status: 500,
    family: 'terminal',
    hint: 'Give the worker a login that may read the image: LATTICE_REGISTRY_AUTH.',
  },
  registry_credentials: {
    status: 500,
    family: 'terminal',
    hint: 'Mend what LATTICE_REGISTRY_AUTH of the worker holds or names; the message says what is wrong.',
  },
  image_pull_failed: {
    status: 500,
    family: 'retryable',
    hint: 'The registry could not be asked, or not to the end; is it reachable from the worker?',
  },
  image_not_found: { status: 500, family: 'terminal', hint: 'Pull or import the image on the worker.' },
  language_unavailable: { status: 500, family: 'terminal', hint: 'Install the interpreter on the worker.' },
  script_not_found: {
    status: 500,
    family: 'terminal',
    hint: 'Put the file into the folder that LATTICE_SCRIPTS of the worker names, or choose workers that have it with runsOn.',
  },
  script_not_executable: {
    status: 500,
    family: 'terminal',
    hint: 'Begin the file with a line such as #!/bin/sh, and chmod +x it.',
  },
  script_refused: {
    status: 500,
    family: 'terminal',
    hint: 'Name a file in the folder that LATTICE_SCRIPTS of the worker names: no path from the root, no .., no link that leads out.',
  },
  handler_not_found: {
    status: 500,
    family: 'terminal',
    hint: 'Start a worker whose LATTICE_HANDLERS has this handler.',
  },
  item_failed: {
    status: 500,
    family: 'retryable',
    hint: 'A run of the body ended badly; the details name it. With onFailure: continue the others go on.',
  },
  too_many_rounds: {
    status: 500,
    family: 'terminal',
    hint: 'The loop would go on after maxRounds; raise it, or mend its condition.',
  },
  nested_too_deep: {
    status: 500,
    family: 'terminal',
    hint: 'Runs start runs of their own up to ten deep; does a workflow start itself?',
  },
  approval_rejected: { status: 500, family: 'terminal', hint: 'Somebody answered the approval with no.' },
  secret_missing: {
    status: 500,
    family: 'terminal',
    hint: 'Store it with `lattice secrets set NAME`, then run the task again.',
  },
  secret_unreadable: {
    status: 500,
    family: 'terminal',
    hint: 'What is stored was changed by somebody else; store the secret again.',
  },
  secret_not_given: {
    status: 500,
    family: 'terminal',
    hint: 'Workers outside of the platform get no secrets: run the handler on a worker of the platform, or give it its own.',
  },
  secrets_key_missing: {
    status: 409,
    family: 'terminal',
    hint: 'Give the process LATTICE_SECRETS_KEY or the file secrets.key of the API; nothing is lost.',
  },
  secrets_key_wrong: {
    status: 409,
    family: 'terminal',
    hint: 'Give the process the key that the message names, beside its own; nothing is lost.',
  },
  gpu_unavailable: {
    status: 500,
    family: 'terminal',
    hint: 'Install the NVIDIA container toolkit on the worker, so that its Docker engine can hand GPUs to containers.',
  },
  batch_mismatch: {
    status: 500,
    family: 'retryable',
    hint: 'The handler of a batch returns a list with one output for each input, in their order.',
  },
  task_input_invalid: {
    status: 500,
    family: 'terminal',
    hint: 'The input does not fit the schema of the task; the message has the places.',
  },
  task_output_invalid: {
    status: 500,
    family: 'terminal',
    hint: 'What the function returned does not fit the schema of its outputs.',
  },
  run_failed: { status: 500, family: 'terminal', hint: 'See the error of the failed task.' },
  deadline_exceeded: {
    status: 500,
    family: 'terminal',
    hint: 'The run had not ended by its deadline; submit it again.',
  },
  run_timeout: { status: 500, family: 'terminal', hint: 'Raise the timeout of the workflow.' },
  cancelled: { status: 500, family: 'terminal', hint: 'Someone cancelled the run, or another task of it failed.' },

  // the server
  internal: {
    status: 500,
    family: 'server',
    hint: 'A fault of ours; the log of the server has it under the id given.',
  },
  unavailable: {
    status: 503,
    family: 'server',
    hint: 'A service behind the API does not answer; try again as Retry-After says.',
  },
} as const satisfies Record<string, CodeEntry>;

interface CodeEntry {
  /** HTTP status of a response with this code. */
  status: number;
  family: 'request' | 'document' | 'terminal' | 'retryable' | 'server';
  /** What to do next, in one sentence. */
  hint: string;
}

export type ErrorCode = keyof typeof CODES;

/** True when the text is a code of the table. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(CODES, text);
}
