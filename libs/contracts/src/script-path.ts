/**
 * Why a text is no path of a script: relative, with `/`, and without a segment that is empty, `.` or `..`. Undefined when it is one. What
 * links make of it only the worker can say.
 */
export function scriptPathFault(path: string): string | undefined {
  if (path === '') return 'it is empty';
  if (path.startsWith('/')) return 'it begins at the root: name the file below the folder of scripts';
  if (/\p{Cc}/u.test(path)) return 'it has control characters';
  const segments = path.split('/');
  if (segments.includes('..')) return 'it has "..": it may not leave the folder of scripts';
  if (segments.some((segment) => segment === '' || segment === '.')) return 'it has an empty segment or "."';
  return undefined;
}
