import { get } from 'node:http';
import { EmbeddedError, embeddedCodes } from './errors';
import { describeExit, logExcerpt, type ManagedProcess } from './managed-process';
import { stoppedEarly } from './parts';
import { waitUntil } from './wait-until';

export interface WaitReady {
  readonly url: string;
  readonly apps: readonly ManagedProcess[];
  readonly limitMs: number;
  /** Ends the wait: someone asked to stop. */
  readonly aborted: () => boolean;
}

/** Waits for GET /health/ready to answer 200, and stops waiting as soon as an app has died. */
export async function waitReady({ url, apps, limitMs, aborted }: WaitReady): Promise<void> {
  let last = 'no answer';
  const ready = await waitUntil(
    async () => {
      if (aborted()) throw stoppedEarly();
      last = await ask(`${url}/health/ready`);
      const dead = apps.find((app) => app.exit());
      if (dead) throw appFailed(dead);
      return last === '200' ? true : undefined;
    },
    { limitMs, everyMs: 50 },
  );
  if (ready) return;
  const logs = apps.map((app) => `${app.name}:\n${logExcerpt(app)}`).join('\n');
  throw new EmbeddedError(
    embeddedCodes.notReady,
    `The platform was not ready after ${limitMs / 1000} s (GET ${url}/health/ready: ${last}).\n${logs}`,
    { url, last },
  );
}

function appFailed(app: ManagedProcess): EmbeddedError {
  const exit = app.exit();
  const how = exit ? describeExit(exit) : 'an unknown end';
  return new EmbeddedError(
    embeddedCodes.appFailed,
    `The ${app.name} died while starting (${how}):\n${logExcerpt(app)}`,
    {
      app: app.name,
      ...exit,
    },
  );
}

/** The status code, or why there is none. */
function ask(url: string): Promise<string> {
  return new Promise((resolve) => {
    const request = get(url, { timeout: 2_000, agent: false }, (response) => {
      response.resume();
      resolve(String(response.statusCode));
    });
    request.once('timeout', () => request.destroy(new Error('no answer within 2 s')));
    request.once('error', (error) => resolve(error.message));
  });
}
