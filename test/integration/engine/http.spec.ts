import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { requestCancel } from '@lattice/engine';
import { eventually } from '../../support/eventually';
import { TestPlatform } from '../../support/platform';

let platform: TestPlatform;
let server: Server;
let base: string;
let calls = 0;
let open = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/hang') {
      open += 1;
      request.on('close', () => (open -= 1));
      return;
    }
    calls += 1;
    response.writeHead(request.url === '/third' && calls < 3 ? 503 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ method: request.method, url: request.url, token: request.headers['x-token'] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  platform = await TestPlatform.running();
});
afterEach(() => platform.settled());
afterAll(async () => {
  await platform.close();
  server.closeAllConnections();
  server.close();
});

test('a request made from inputs and outputs of other tasks, tried again while the server is down', async () => {
  const run = await platform.run(
    {
      name: 'calling',
      inputs: { base: { type: 'string' }, id: { type: 'integer' } },
      tasks: {
        token: { uses: 'handler/echo', with: { value: 'secret' } },
        call: {
          uses: 'http',
          with: {
            url: '${{ inputs.base }}/third',
            method: 'POST',
            headers: { 'x-token': '${{ tasks.token.output.value }}' },
            body: { id: '${{ inputs.id }}' },
          },
          retry: { maxAttempts: 5, initialDelay: '10ms' },
        },
      },
      outputs: { answer: '${{ tasks.call.output.body }}', status: '${{ tasks.call.output.status }}' },
    },
    { inputs: { base, id: 7 } },
  );
  expect(run.outputs).toEqual({ answer: { method: 'POST', url: '/third', token: 'secret' }, status: 200 });
  expect(run.tasks[1]).toMatchObject({ attempts: 3 });
});

test('cancel ends the connection', async () => {
  const id = await platform.submit({ name: 'hanging', tasks: { a: { uses: 'http', with: { url: `${base}/hang` } } } });
  await eventually('it hangs', () => (open === 1 ? true : undefined));
  await requestCancel(platform.engine, id, 'enough');
  expect((await platform.wait(id)).status).toBe('cancelled');
  await eventually('the connection is closed', () => (open === 0 ? true : undefined));
});

test('what is wrong with a request is told with the document, or by its task', async () => {
  const bad = {
    name: 'bad',
    tasks: {
      a: { uses: 'http', with: { url: 'ftp://x', body: 1 }, sandbox: 'docker' },
      b: { uses: 'http', with: { method: 'get', url: 'http://x', surplus: 1 } },
    },
  };
  const refusal = await platform.submit(bad).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(refusal).toMatchObject({
    faults: [
      { code: 'bad_value', pointer: '/workflow/tasks/a/with/url' },
      { code: 'bad_value', pointer: '/workflow/tasks/a/with/body' },
      { code: 'bad_value', pointer: '/workflow/tasks/a/sandbox' },
      { code: 'bad_value', pointer: '/workflow/tasks/b/with/method' },
      { code: 'unknown_field', pointer: '/workflow/tasks/b/with/surplus' },
    ],
  });
  const run = await platform.run(
    {
      name: 'late',
      inputs: { url: { type: 'string' } },
      tasks: { a: { uses: 'http', with: { url: '${{ inputs.url }}' } } },
    },
    { inputs: { url: 'file:///etc/passwd' } },
  );
  expect(run.tasks[0]).toMatchObject({ status: 'failed', error: { code: 'expression_failed' } });
});
