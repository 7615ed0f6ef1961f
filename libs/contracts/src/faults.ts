import type { z } from 'zod';
import { isErrorCode, type ErrorCode } from './codes';
import { fault, pointerOf, type Fault } from './errors';

type Issue = z.core.$ZodIssue;

/** Faults of a zod error, one per problem, with pointers below `base`. */
export function faultsOf(error: z.ZodError, base: readonly PropertyKey[] = []): Fault[] {
  return error.issues.flatMap((issue) => faultsOfIssue(issue, base));
}

function faultsOfIssue(issue: Issue, base: readonly PropertyKey[]): Fault[] {
  const path = [...base, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => fault('unknown_field', pointerOf([...path, key]), `unknown field "${key}"`));
    case 'invalid_key':
      return issue.issues.map((inner) =>
        fault(
          (inner.code === 'custom' ? codeOf(inner) : undefined) ?? 'bad_task_key',
          pointerOf(path),
          `"${String(path.at(-1))}" is ${inner.message}`,
        ),
      );
    case 'invalid_union':
      return faultsOfUnion(issue, path);
    case 'custom':
      return [fault(codeOf(issue) ?? 'bad_value', pointerOf(path), issue.message)];
    case 'invalid_type':
      return [fault(isMissing(issue) ? 'missing_field' : 'bad_type', pointerOf(path), describe(issue, path))];
    default:
      return [fault('bad_value', pointerOf(path), issue.message)];
  }
}

/**
 * Of a union the branch that came furthest, with the fewest faults, tells most, or the only one that takes values of this type; a branch that fails at
 * once says only that the type is another.
 */
function faultsOfUnion(issue: z.core.$ZodIssueInvalidUnion, path: PropertyKey[]): Fault[] {
  const depth = (issues: readonly Issue[]): number => Math.max(0, ...issues.map((inner) => inner.path.length));
  const best = [...issue.errors].sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
  if (best !== undefined && depth(best) > 0) return best.flatMap((inner) => faultsOfIssue(inner, path));
  const [ofType, ...others] = issue.errors.filter((issues) => !isOfOtherType(issues));
  if (ofType !== undefined && others.length === 0) return ofType.flatMap((inner) => faultsOfIssue(inner, path));
  const expected = issue.errors.flat().flatMap((inner) => (inner.code === 'invalid_type' ? [inner.expected] : []));
  const custom = issue.errors.flat().find((inner) => inner.code === 'custom');
  const message =
    custom?.message ?? (expected.length > 0 ? `expected ${[...new Set(expected)].join(' or ')}` : issue.message);
  return [fault((custom && codeOf(custom)) ?? 'bad_type', pointerOf(path), message)];
}

/** Whether a branch of a union is for values of another type. */
function isOfOtherType(issues: readonly Issue[]): boolean {
  return issues.some(
    (inner) =>
      inner.path.length === 0 &&
      (inner.code === 'invalid_type' || (inner.code === 'invalid_union' && inner.errors.every(isOfOtherType))),
  );
}

function codeOf(issue: Extract<Issue, { code: 'custom' }>): ErrorCode | undefined {
  const code: unknown = issue.params?.['code'];
  return typeof code === 'string' && isErrorCode(code) ? code : undefined;
}

function isMissing(issue: Issue): boolean {
  return issue.message.endsWith('received undefined');
}

function describe(issue: z.core.$ZodIssueInvalidType, path: readonly PropertyKey[]): string {
  if (isMissing(issue)) return `missing field "${String(path.at(-1) ?? 'document')}" (${issue.expected})`;
  return issue.message.replace(/^Invalid input: /, '');
}
