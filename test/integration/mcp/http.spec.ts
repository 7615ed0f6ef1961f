import { request } from 'node:http';
import fc from 'fast-check';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { isErrorCode } from '@lattice/contracts';
import { strangeValues } from '../../support/contract/values';
import type { Json } from '../../support/rest';
import { McpTest, TRANSPORTS } from './support';

const SEED = Number(process.env['CONTRACT_SEED'] ?? 20_261_121);
const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

let test: McpTest;
beforeAll(async () => {
  test = await McpTest.open();
});
afterAll(() => test.close());

const post = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  test.rest.call('/v1/mcp', { method: 'POST', body, headers });
const json = async (response: Response): Promise<Json> => (await response.json()) as Json;

/** The status of a request with a header that fetch does not let through. */
function statusWith(headers: Record<string, string>): Promise<number | undefined> {
  const body = JSON.stringify(LIST);
  const all = { authorization: `Bearer ${test.rest.key}`, 'content-type': 'application/json', ...headers };
  return new Promise((resolve, reject) => {
    const asked = request(`${test.rest.url}/v1/mcp`, { method: 'POST', headers: all }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

describe('POST /v1/mcp', () => {
  it('is for keys: none, a wrong one, the session of a browser and a key of workers are refused', async () => {
    const bare = await fetch(`${test.rest.url}/v1/mcp`, { method: 'POST', body: JSON.stringify(LIST) });
    expect(bare.status).toBe(401);
    expect(bare.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect((await post(LIST, { authorization: 'Bearer wrong' })).status).toBe(401);
    const form = new URLSearchParams({ key: test.rest.key });
    const login = await fetch(`${test.rest.url}/login`, { method: 'POST', body: form, redirect: 'manual' });
    const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
    const session = { cookie, 'content-type': 'application/json' };
    const read = await fetch(`${test.rest.url}/v1/runs`, { headers: session });
    expect(read.status).toBe(200);
    const byPage = await fetch(`${test.rest.url}/v1/mcp`, {
      method: 'POST',
      headers: session,
      body: JSON.stringify(LIST),
    });
    expect([byPage.status, (await json(byPage))['code']]).toEqual([401, 'unauthorized']);
    expect((await post(LIST, { authorization: `Bearer ${await test.key('worker')}` })).status).toBe(403);
    const client = new Client({ name: 'test', version: '1' });
    const failed = await client.connect(test.overHttp({ key: 'wrong' })).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(StreamableHTTPError);
    expect(failed).toMatchObject({ code: 401 });
  });

  it('refuses pages that are not of this machine, whatever host they name', async () => {
    expect(await statusWith({ origin: 'https://evil.test' })).toBe(403);
    expect(await statusWith({ origin: 'https://evil.test', host: 'evil.test' })).toBe(403);
    expect(await statusWith({ origin: 'null' })).toBe(403);
    expect(await statusWith({ origin: 'http://localhost:5173' })).toBe(200);
    expect(await statusWith({ origin: 'http://127.0.0.1.evil.test' })).toBe(403);
    expect(await statusWith({ host: 'lattice.example.com' })).toBe(200);
  });

  it('has no sessions and no streams of its own, takes one message at a time, and up to 8 MiB', async () => {
    for (const method of ['GET', 'DELETE'] as const) {
      const answer = await test.rest.call('/v1/mcp', { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    }
    const listed = await post(LIST, { accept: '*/*' });
    expect([listed.status, listed.headers.get('mcp-session-id')]).toEqual([200, null]);
    expect((await json(listed))['result']['tools'].length).toBeGreaterThan(10);
    expect((await post({ jsonrpc: '2.0', method: 'notifications/initialized' })).status).toBe(202);
    const batch = await json(await post([LIST, LIST]));
    expect(batch).toMatchObject({ status: 400, code: 'bad_request', detail: expect.stringContaining('batch') });
    expect((await json(await post({ hello: 1 })))['code']).toBe('bad_request');
    expect((await json(await post('{"jsonrpc":')))['code']).toBe('unparsable');
    expect((await json(await post(LIST, { 'mcp-protocol-version': '1999-01-01' })))['status']).toBe(400);
    expect((await post({ ...LIST, params: { pad: 'x'.repeat(9_000_000) } })).status).toBe(413);
    expect((await post(LIST, { 'content-type': 'text/plain' })).status).toBe(415);
    const unknown = await json(await post({ ...LIST, method: 'tools/burn' }));
    expect(unknown).toMatchObject({ id: 1, error: { code: -32_601 } });
    const noTool = await json(await post({ ...LIST, method: 'tools/call', params: { name: 'burn' } }));
    expect(noTool).toMatchObject({ error: { code: -32_602, message: expect.stringContaining('Unknown tool: burn') } });
  });

  it('shows a key only the tools that it may use, and says why another is refused', async () => {
    const authorization = `Bearer ${await test.key('viewer')}`;
    const tools = (await json(await post(LIST, { authorization })))['result']['tools'] as Json[];
    expect(tools.every((tool) => tool['annotations']['readOnlyHint'] === true)).toBe(true);
    const asked = { ...LIST, method: 'tools/call', params: { name: 'cancel_run', arguments: { runId: 'x' } } };
    const { result } = await json(await post(asked, { authorization }));
    expect(result['isError']).toBe(true);
    expect(JSON.parse(result['content'][0]['text'])).toMatchObject({
      error: { code: 'forbidden', message: expect.stringContaining('operator') },
    });
  });
});

describe.each(TRANSPORTS)(`tools over %s, given anything (seed ${SEED})`, (kind) => {
  it('answer with a result or a code, and go on', async () => {
    const assistant = await test.connect(kind);
    const { tools } = await assistant.client.listTools();
    const names = fc.constantFrom(
      'runId',
      'task',
      'document',
      'yaml',
      'workflow',
      'inputs',
      'what',
      'after',
      'limit',
      'x',
    );
    const known = tools.flatMap(({ inputSchema }) => Object.keys(inputSchema.properties ?? {}));
    const given = fc.dictionary(fc.oneof(names, fc.constantFrom(...known)), strangeValues, { maxKeys: 5 });
    // Nobody waits for a run that a lucky document has started.
    const called = fc.record({ tool: fc.constantFrom(...tools), given });
    const codes = new Set<string>();
    const property = fc.asyncProperty(called, async ({ tool, given }) => {
      const wait = 'wait' in (tool.inputSchema.properties ?? {}) ? { wait: '0s' } : {};
      const answer = await assistant.call(tool.name, { ...given, ...wait }).catch((error: unknown) => {
        // A body that nests too deep is refused before it is read.
        if (!(error instanceof StreamableHTTPError) || !error.message.includes('"code":"unparsable"')) throw error;
        return undefined;
      });
      if (answer?.isError !== true) return;
      const code = String(answer.value['error']['code']);
      codes.add(code);
      if (!isErrorCode(code) || code === 'internal') throw new Error(`${tool.name} answered ${answer.text}`);
    });
    await fc.assert(property, { seed: SEED, numRuns: 300 });
    expect([...codes]).toContain('bad_request');
    expect((await assistant.call('list_workflows')).isError).toBe(false);
  });
});
