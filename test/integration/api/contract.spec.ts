import { Agent } from 'node:http';
import { heartbeat } from '@lattice/queue';
import fc from 'fast-check';
import { judge, judgeProblem } from '../../support/contract/judge';
import { readOperations, type Operation } from '../../support/contract/operations';
import { requestsOf, type Known, type WireRequest } from '../../support/contract/requests';
import { send } from '../../support/contract/send';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';
import { openRest, type Rest } from '../../support/rest';
import { announcement } from '../../../libs/queue/test/announcement';

/** Another seed is given by CONTRACT_SEED, more requests by CONTRACT_REQUESTS. */
const SEED = Number(process.env['CONTRACT_SEED'] ?? 20_261_121);
const REQUESTS = Number(process.env['CONTRACT_REQUESTS'] ?? 60);
/** So long for all operations together; one that is slow ends earlier, which is no failure. */
const LIMIT_MS = 30_000;

const ECHO = { name: 'echo', tasks: { echo: { uses: 'handler/echo', with: { said: ['x', '\ud800'] } } } };
const ASK = { name: 'ask', tasks: { ask: { uses: 'wait', with: { approval: { message: 'Go on?' } } } } };
const FAILING = { name: 'failing', tasks: { fail: { uses: 'handler/fail' } } };
const QUEUED = { name: 'queued', tasks: { a: { uses: 'handler/nobody-has-it' } } };
const WRITE =
  'import { writeFileSync as w } from "node:fs"; export default () => w(`${process.env.LATTICE_ARTIFACTS}/a`, "x")';
const LEAVING = {
  name: 'leaving',
  tasks: { leave: { uses: 'code', with: { language: 'javascript', source: WRITE } } },
};
const CALL = { name: 'list_runs', arguments: { limit: 1 }, _meta: { progressToken: 1 } };
const MESSAGES = [
  { jsonrpc: '2.0', id: 1, method: 'tools/list' },
  { jsonrpc: '2.0', id: 'a', method: 'tools/call', params: CALL },
  { jsonrpc: '2.0', method: 'notifications/initialized' },
];
const SCHEDULE = { name: 'nightly', workflow: 'echo', cron: '0 3 * * *' };
const SECRET = { value: 'correct-horse-battery' };
const STEPS = { name: 's', steps: [{ name: 'a', module: 'm', action: 'b', parameters: { x: '{{y}}' } }] };
const STATES = { id: 's', states: [{ id: 'a', type: 'inject', data: { x: '$.y' } }] };
const INSTANCE = {
  name: 'i',
  schemaVersion: '1.5',
  workflow: { specification: { tasks: [{ name: 'a', id: 'a-1', parents: [], children: [] }] } },
};

const { operations: documented, schemas } = readOperations();
/** What ends or removes something comes last, so that the others find it. */
const isLast = ({ method, path }: Operation): boolean => method === 'DELETE' || path.endsWith('/cancel');
const operations = [...documented.filter((one) => !isLast(one)), ...documented.filter(isLast)];
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
let platform: TestPlatform;
let rest: Rest;
let known: Known;

beforeAll(async () => {
  platform = await TestPlatform.open();
  await platform.scheduler();
  const worker = await platform.worker({ workerId: 'w' });
  rest = await openRest(platform);
  await heartbeat(platform.engine.queue, announcement('told'));
  known = await furnish();
  await worker.stop();
});
afterAll(async () => {
  agent.destroy();
  await rest.close();
  await platform.close();
});

/** One of each: what ended, what waits, what is queued. */
async function furnish(): Promise<Known> {
  const submit = async (workflow: unknown): Promise<string> => {
    const { runId } = await rest.json(202, '/v1/runs', { method: 'POST', body: { workflow } });
    return String(runId);
  };
  await rest.json(201, '/v1/workflows', { method: 'POST', body: ECHO });
  await rest.json(201, '/v1/schedules', { method: 'POST', body: SCHEDULE });
  await rest.json(201, '/v1/secrets/TOKEN', { method: 'PUT', body: SECRET });
  const made = await rest.json(201, '/v1/keys', { method: 'POST', body: { name: 'k', scope: 'viewer' } });
  const runs = [await submit(ECHO), await submit(ASK), await submit(QUEUED), await submit('echo')];
  await rest.json(202, `/v1/runs/${runs[2] ?? ''}/pause`, { method: 'POST' });
  await rest.json(200, `/v1/runs/${runs[0] ?? ''}/wait?timeout=20s`);
  const failed = await submit(FAILING);
  await rest.json(200, `/v1/runs/${failed}/wait?timeout=20s`);
  const leaving = await submit(LEAVING);
  await rest.json(200, `/v1/runs/${leaving}/wait?timeout=20s`);
  const left = (await platform.read(leaving)).tasks[0]?.artifacts?.[0]?.id;
  await eventually('a run waits', async () => (await platform.read(runs[1] ?? '')).status === 'waiting' || undefined);
  const of = (path: string, name: string): string => `${path} ${name}`;
  return {
    parameters: {
      ...Object.fromEntries(
        operations.filter(({ path }) => path.startsWith('/v1/runs/{id}')).map(({ path }) => [of(path, 'id'), runs]),
      ),
      ...Object.fromEntries(
        operations
          .filter(({ path }) => path.startsWith('/v1/schedules/'))
          .map(({ path }) => [of(path, 'name'), ['nightly']]),
      ),
      ...Object.fromEntries(
        ['drain', 'cordon', 'uncordon'].map((order) => [of(`/v1/workers/{id}/${order}`, 'id'), ['told']]),
      ),
      [of('/v1/runs/{id}/retry', 'id')]: [failed],
      [of('/v1/runs/{id}/artifacts', 'id')]: [leaving],
      [of('/v1/runs/{id}/artifacts', 'task')]: ['leave'],
      [of('/v1/artifacts/{id}', 'id')]: [String(left)],
      // A run that ended as it should; the task is in it.
      ...Object.fromEntries(
        ['tasks/{key}/rerun', 'fork'].map((route) => [of(`/v1/runs/{id}/${route}`, 'id'), [runs[0] ?? '']]),
      ),
      [of('/v1/runs/{id}/tasks/{key}/rerun', 'key')]: ['echo'],
      [of('/v1/runs/{id}/tasks/{key}/logs', 'key')]: ['echo', 'ask', 'a'],
      [of('/v1/runs/{id}/signals/{name}', 'name')]: ['ask', 'go'],
      [of('/v1/runs/{id}/wait', 'timeout')]: ['1ms', '0s'],
      [of('/v1/workflows/{name}', 'name')]: ['echo', 'ask'],
      [of('/v1/import/{format}', 'format')]: ['wfformat', 'codomyrmex', 'station'],
      [of('/v1/keys/{id}', 'id')]: [String(made['id'])],
      [of('/v1/secrets/{name}', 'name')]: ['TOKEN', 'OTHER'],
    },
    bodies: {
      '/v1/runs': [{ workflow: 'echo' }, { workflow: ECHO, tags: ['a'] }],
      '/v1/mcp': MESSAGES,
      '/v1/workflows': [ECHO, ASK, QUEUED],
      '/v1/workflows/validate': [ECHO, ASK],
      '/v1/schedules': [SCHEDULE],
      '/v1/runs/{id}/fork': [{ from: 'echo' }],
      '/v1/runs/{id}/tasks/{key}/rerun': [{}],
      '/v1/schedules/{name}': [{ paused: false }, { cron: '0 4 * * *' }, { tags: ['b'] }],
      '/v1/secrets/{name}': [SECRET],
      '/v1/schedules/preview': [{ cron: '0 3 * * *' }, SCHEDULE],
      '/v1/import/{format}': [INSTANCE, STEPS, STATES],
    },
  };
}

/** Statuses that each operation has answered with. */
const seen = new Map<Operation, Set<number>>();

async function faultsOf(request: WireRequest, operation: Operation): Promise<string[]> {
  const answer = await send(rest.url, request, { agent, key: rest.key });
  seen.set(operation, (seen.get(operation) ?? new Set()).add(answer.status));
  return judge(answer, operation, schemas);
}

/** What a person needs to send it again. */
function describeRequest({ method, target, headers, body }: WireRequest): string {
  return `${method} ${target} ${JSON.stringify(headers)} ${body?.toString('utf8').slice(0, 2_000) ?? ''}`;
}

describe(`every route holds to its documentation, whatever is sent (seed ${SEED})`, () => {
  it.each(operations.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
    '%s',
    async (_, operation) => {
      const property = fc.asyncProperty(requestsOf(operation, schemas, known), async (request) => {
        const faults = await faultsOf(request, operation);
        if (faults.length > 0) throw new Error(`${faults.join('\n')}\n${describeRequest(request)}`);
      });
      await fc.assert(property, {
        seed: SEED,
        numRuns: REQUESTS,
        interruptAfterTimeLimit: LIMIT_MS / operations.length,
        markInterruptAsFailure: false,
      });
    },
  );
});

// A route that fails here is new: `furnish` has to make what it is about.
it('has had an answer of success from every operation', () => {
  const poor = operations.flatMap((operation) => {
    const statuses = [...(seen.get(operation) ?? [])].sort();
    return statuses.some((status) => status < 400) ? [] : [`${operation.method} ${operation.path}: ${statuses.join()}`];
  });
  expect(poor).toEqual([]);
});

it('refuses methods that a path does not have, and says which it has', async () => {
  const paths = [...new Set(operations.map(({ path }) => path))];
  const faults: string[] = [];
  for (const path of paths) {
    const has = operations.filter((operation) => operation.path === path).map(({ method }) => method);
    const allowed = has.includes('GET') ? [...has, 'HEAD'] : has;
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND']) {
      if (has.includes(method)) continue;
      const target = path.replaceAll(/\{\w+\}/g, 'x');
      // Another route may have this path too: `/v1/workflows/{name}` has that of `/v1/workflows/validate`.
      if (operations.some((other) => other.method === method && matches(other.path, target))) continue;
      const answer = await send(rest.url, { method, target, headers: {}, body: undefined }, { agent, key: rest.key });
      const wrong = judgeProblem(answer, schemas);
      if (answer.status !== 405) wrong.push(`answered ${answer.status}`);
      const said = String(answer.headers['allow'] ?? '').split(', ');
      if (!has.every((one) => said.includes(one))) wrong.push(`allows ${said.join()}, not ${allowed.join()}`);
      faults.push(...wrong.map((words) => `${method} ${path}: ${words}`));
    }
  }
  expect(faults).toEqual([]);
});

function matches(path: string, target: string): boolean {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(target);
}

it('refuses guessed keys, then with the time to wait, on every route', async () => {
  const guess = (number: number) =>
    send(
      rest.url,
      {
        method: 'GET',
        target: operations[number % operations.length]?.path ?? '',
        headers: { authorization: `Bearer ${number}` },
        body: undefined,
      },
      { agent: guesses, key: '' },
    );
  const guesses = new Agent({ maxSockets: 100 });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, number) => guess(number)));
  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused.flatMap((answer) => judgeProblem(answer, schemas))).toEqual([]);
  // What anybody may ask for is answered all the same: whether the API lives.
  expect([...new Set(answers.map(({ status }) => status))].sort()).toEqual([200, 401, 429]);
});
