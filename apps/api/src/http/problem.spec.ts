import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { toProblem } from './problem';

it.each([
  'Connection terminated unexpectedly',
  'Client has encountered a connection error and is not queryable',
  'Query read timeout',
  'timeout exceeded when trying to connect',
  'Connection is closed.',
])('a service that is away ("%s") is no fault of ours: 503, and when to come back', (message) => {
  const wrapped = new Error('the query failed', { cause: new Error(message) });
  const { problem, headers, internal } = toProblem(wrapped);
  expect(problem).toMatchObject({ status: 503, code: 'unavailable' });
  expect(headers).toEqual({ 'Retry-After': '2' });
  expect(internal).toBeUndefined();
});

it('anything else is told by an id alone', () => {
  const { problem, internal } = toProblem(new Error('secret'));
  expect(problem.status).toBe(500);
  expect(problem.detail).toContain(internal);
  expect(JSON.stringify(problem)).not.toContain('secret');
});

it('a server whose socket file is gone is away; a file that is missing is a fault of ours', async () => {
  const away = await new Promise<unknown>((resolve) => connect('/nowhere/.s.PGSQL.1').once('error', resolve));
  expect(toProblem(new Error('the query failed', { cause: away })).problem.code).toBe('unavailable');
  const missing = await readFile('/nowhere/file').catch((error: unknown) => error);
  expect(toProblem(missing).problem.code).toBe('internal');
});
