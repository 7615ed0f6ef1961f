import { isErrorCode } from '@lattice/contracts';
import { misfits, type Schemas } from './json-schema';
import type { Operation } from './operations';
import type { WireAnswer } from './send';

const PROBLEM = { $ref: '#/components/schemas/Problem' };

/** What is wrong with an answer, by the documentation of the operation; nothing when it holds. */
export function judge(answer: WireAnswer, operation: Operation, schemas: Schemas): string[] {
  const { status, text } = answer;
  const documented = operation.answers[String(status)];
  if (status >= 500) return [`answered ${status}: ${text.slice(0, 300)}`];
  if (documented === undefined) return [`answered ${status}, which is not documented: ${text.slice(0, 300)}`];
  const absent = Object.keys(documented.headers ?? {}).filter(
    (name) => answer.headers[name.toLowerCase()] === undefined,
  );
  if (absent.length > 0) return [`answered ${status} without ${absent.join()}`];
  if (status >= 400) return judgeProblem(answer, schemas);
  const type = typeOf(answer);
  const media = documented.content?.[type] ?? documented.content?.['*/*'];
  if (media === undefined) {
    return text === '' ? [] : [`answered ${status} with a body of type "${type}", which is not documented`];
  }
  if (type !== 'application/json') return [];
  return misfits(JSON.parse(text), media.schema, { schemas, path: '' });
}

/** What is wrong with a refusal. */
export function judgeProblem(answer: WireAnswer, schemas: Schemas): string[] {
  const { status, headers, text } = answer;
  if (typeOf(answer) !== 'application/problem+json') return [`answered ${status} as ${typeOf(answer)}`];
  const problem: unknown = JSON.parse(text);
  const faults = misfits(problem, PROBLEM, { schemas, path: '' });
  const { status: said, code } = Object(problem) as { status?: unknown; code?: unknown };
  if (said !== status) faults.push(`answered ${status}, and its body says ${String(said)}`);
  if (typeof code !== 'string' || !isErrorCode(code)) faults.push(`the code ${String(code)} is not in the table`);
  const header = { 401: 'www-authenticate', 405: 'allow', 429: 'retry-after', 503: 'retry-after' }[status];
  if (header !== undefined && headers[header] === undefined) faults.push(`answered ${status} without ${header}`);
  return faults;
}

function typeOf({ headers }: WireAnswer): string {
  return String(headers['content-type'] ?? '')
    .split(';', 1)
    .join('');
}
