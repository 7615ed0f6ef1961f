/**
 * Whether a relative path (with `/`) fits a pattern: `*` and `?` stay within a name, `**` crosses folders. A pattern without `/` is
 * about the name of the file alone: `db-*` finds `nightly/db-dump.sh` too.
 */
export function fits(pattern: string, path: string): boolean {
  const subject = pattern.includes('/') ? path : path.slice(path.lastIndexOf('/') + 1);
  return expressionOf(pattern.replace(/^\.?\//, '')).test(subject);
}

/** True when a pattern means one path and no other. */
export function isExact(pattern: string): boolean {
  return !/[*?]/.test(pattern);
}

function expressionOf(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*\/?|\*|\?)/).map((part) => {
    switch (part) {
      case '**/':
        return '(?:.*/)?';
      case '**':
        return '.*';
      case '*':
        return '[^/]*';
      case '?':
        return '[^/]';
      default:
        return part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    }
  });
  return new RegExp(`^${parts.join('')}$`, 's');
}
