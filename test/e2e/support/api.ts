import { z } from 'zod';

const submittedSchema = z.object({ runId: z.string() });
const taskSchema = z.object({
  key: z.string(),
  status: z.string(),
  attempts: z.number(),
  workerId: z.string().nullable(),
  output: z.unknown(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});
const runSchema = z.object({
  runId: z.string(),
  status: z.string(),
  outputs: z.record(z.string(), z.unknown()).nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  tasks: z.array(taskSchema),
});
export type Run = z.infer<typeof runSchema>;

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  code: z.string(),
  detail: z.string(),
  faults: z
    .array(z.object({ code: z.string(), pointer: z.string(), message: z.string(), hint: z.string().optional() }))
    .optional(),
});

export interface Call {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Without a key: as anybody. */
  readonly anonymous?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON. */
  json(): unknown;
}

/** The REST contract as any HTTP client sees it. */
export class Api {
  constructor(
    readonly url: string,
    readonly key: string,
  ) {}

  async call(path: string, { method, headers = {}, body, anonymous = false }: Call = {}): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...(anonymous ? {} : { Authorization: `Bearer ${this.key}` }), ...headers },
      ...(body === undefined ? {} : { body }),
      redirect: 'manual',
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as unknown };
  }

  /** POST of a JSON value. */
  async post(path: string, value: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.call(path, {
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(value),
    });
  }

  /** Submits a document; gives the id of the run. */
  async submit(workflow: unknown, inputs: Record<string, unknown> = {}): Promise<string> {
    const answer = await this.post('/v1/runs', { workflow, inputs });
    if (answer.status !== 202) throw new Error(`refused with ${answer.status}: ${answer.text}`);
    return submittedSchema.parse(answer.json()).runId;
  }

  async run(runId: string): Promise<Run> {
    return runSchema.parse((await this.call(`/v1/runs/${runId}`)).json());
  }

  /** The run when it has ended, or as it is after `timeout`. */
  async wait(runId: string, timeout = '50s'): Promise<Run> {
    return runSchema.parse((await this.call(`/v1/runs/${runId}/wait?timeout=${timeout}`)).json());
  }
}

/** A task of a run by its key. */
export function taskOf(run: Run, key: string): Run['tasks'][number] {
  const task = run.tasks.find((one) => one.key === key);
  if (task === undefined) throw new Error(`the run has no task ${key}`);
  return task;
}
