/** Where to go after the login: a path of this server. Whatever could lead elsewhere becomes `/`. */
export function safeTarget(target: unknown): string {
  if (typeof target !== 'string' || !/^\/(?![/\\])[\x21-\x7e]*$/.test(target) || target.includes('\\')) return '/';
  // A browser reads the text as a URL, so it is read as one here too.
  if (!URL.canParse(target, 'http://here.invalid')) return '/';
  const url = new URL(target, 'http://here.invalid');
  // `/.//elsewhere` becomes `//elsewhere` only now.
  if (url.origin !== 'http://here.invalid' || url.pathname.startsWith('//')) return '/';
  return `${url.pathname}${url.search}${url.hash}`;
}
