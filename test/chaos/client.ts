import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { runViewSchema, submittedSchema, type RunView } from '@lattice/contracts';

/** What is asked for, and how it is to end. */
export interface Submission {
  readonly workflow: string | Record<string, unknown>;
  readonly inputs: Record<string, unknown>;
  /** The outputs of the run, or the code of the error that it is to fail with. */
  readonly expected: Record<string, unknown> | string;
}

/** A run that the API acknowledged. */
export interface Acknowledged extends Submission {
  readonly runId: string;
}

const CALL_MS = 15_000;
const PATIENCE_MS = 120_000;

/**
 * A client as a careful user writes it: it repeats what was not answered, with the same Idempotency-Key, and waits as long as
 * Retry-After says. Answers that no fault of a service explains are kept as faults.
 */
export class Client {
  readonly faults: string[] = [];
  /** How often each status came; 0 when nothing came. */
  readonly statuses = new Map<number, number>();

  constructor(
    readonly url: string,
    private readonly key: () => string,
  ) {}

  async submit(submission: Submission): Promise<Acknowledged> {
    const { workflow, inputs } = submission;
    const body = await this.call('POST', '/v1/runs', { body: { workflow, inputs }, idempotencyKey: randomUUID() });
    return { ...submission, runId: submittedSchema.parse(body).runId };
  }

  async save(workflow: Record<string, unknown>): Promise<void> {
    await this.call('POST', '/v1/workflows', { body: workflow });
  }

  async post(path: string, body?: unknown): Promise<void> {
    await this.call('POST', path, { body });
  }

  async read(runId: string): Promise<RunView> {
    return runViewSchema.parse(await this.call('GET', `/v1/runs/${runId}`));
  }

  /** Stores a schedule, or replaces the one of its name. */
  async schedule(schedule: Record<string, unknown>): Promise<void> {
    await this.call('POST', '/v1/schedules', { body: schedule });
  }

  /** The body of the first answer that settles it. */
  private async call(
    method: string,
    path: string,
    options: { body?: unknown; idempotencyKey?: string } = {},
  ): Promise<unknown> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const { status, body, waitMs } = await this.once(method, path, options);
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
      if (status >= 200 && status < 300) return body;
      if (status !== 0 && status !== 503) {
        const fault = `${method} ${path} was answered ${status}: ${JSON.stringify(body)}`;
        this.faults.push(fault);
        if (status < 500) throw new Error(fault);
      }
      if (status === 503 && waitMs === undefined) this.faults.push(`${method} ${path}: 503 without Retry-After`);
      if (performance.now() > end) throw new Error(`${method} ${path} was not answered for ${PATIENCE_MS} ms`);
      await delay(Math.min(waitMs ?? 200, 2_000));
    }
  }

  private async once(
    method: string,
    path: string,
    { body, idempotencyKey }: { body?: unknown; idempotencyKey?: string },
  ): Promise<{ status: number; body?: unknown; waitMs?: number | undefined }> {
    try {
      const response = await fetch(`${this.url}${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${this.key()}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
        },
        signal: AbortSignal.timeout(CALL_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const after = response.headers.get('retry-after');
      const parsed: unknown = await response.json();
      return { status: response.status, body: parsed, waitMs: after === null ? undefined : Number(after) * 1_000 };
    } catch {
      // No answer, or half of one: the API was killed, or is not up yet.
      return { status: 0 };
    }
  }
}
