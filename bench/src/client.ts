import { Agent, request } from 'node:http';

/** A client of the REST contract with kept connections: as little work as may be on the side of who measures. */
export class Client {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(
    private readonly url: string,
    private readonly key: string,
  ) {}

  /** Submits a document; gives the id of the run. */
  async submit(workflow: object): Promise<string> {
    return this.submitText(JSON.stringify({ workflow }));
  }

  /** {@link submit} of a body that is text already. */
  async submitText(body: string): Promise<string> {
    const { runId } = await this.call<{ runId: string }>('POST', '/v1/runs', body);
    return runId;
  }

  /** Resolves when the run has completed; throws when it ended otherwise, or did not end. */
  async completed(runId: string): Promise<void> {
    const run = await this.call<{ status: string }>('GET', `/v1/runs/${runId}/wait?timeout=120s`);
    if (run.status !== 'completed') throw new Error(`run ${runId} is ${run.status}`);
  }

  close(): void {
    this.agent.destroy();
  }

  private call<T>(method: string, path: string, body?: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${this.key}`,
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      };
      const sent = request(this.url + path, { method, agent: this.agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if ((response.statusCode ?? 0) >= 300) reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
          else resolve(JSON.parse(text) as T);
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }
}
