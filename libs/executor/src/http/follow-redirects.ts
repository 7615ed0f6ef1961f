/** What a request is made of. */
export interface Sent {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** As many as browsers follow. */
const MOST_REDIRECTS = 20;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** All that another origin is told: who may read a secret is known for the first one only, and any other header may hold one. */
const HARMLESS =
  /^(accept|accept-(charset|encoding|language)|cache-control|content-(type|language)|if-(match|none-match|modified-since|unmodified-since|range)|prefer|range|user-agent)$/i;

/**
 * The answer to a request, redirects followed but for statuses of `expect`. A redirect to another origin gets neither Authorization nor
 * Cookie nor any header that is not known to be harmless. Rejects as fetch does.
 */
export async function fetchFollowing(
  first: Sent,
  { signal, expect }: { signal: AbortSignal; expect: readonly number[] | undefined },
): Promise<Response> {
  let sent = first;
  for (let left = MOST_REDIRECTS; ; left -= 1) {
    const { url, body, ...rest } = sent;
    const response = await fetch(url, { ...rest, signal, redirect: 'manual', ...(body === undefined ? {} : { body }) });
    const location = response.headers.get('location');
    if (!REDIRECTS.has(response.status) || location === null || expect?.includes(response.status) === true)
      return response;
    await response.body?.cancel();
    if (left === 0) throw new Error(`more than ${MOST_REDIRECTS} redirects, the last one to ${location}`);
    sent = redirected(sent, response.status, location);
  }
}

/** The request that a redirect asks for. */
function redirected(sent: Sent, status: number, location: string): Sent {
  const { method, body, headers } = sent;
  const to = URL.canParse(location, sent.url) ? new URL(location, sent.url) : undefined;
  if (to === undefined || !/^https?:$/.test(to.protocol))
    throw new Error(`redirected to ${location}, which is no URL of http`);
  const asGet = (status === 303 && method !== 'HEAD') || (status <= 302 && method === 'POST');
  const away = to.origin !== new URL(sent.url).origin;
  const kept = Object.entries(headers).filter(
    ([name]) => (!away || HARMLESS.test(name)) && !(asGet && /^content-/i.test(name)),
  );
  return {
    url: to.href,
    method: asGet ? 'GET' : method,
    headers: Object.fromEntries(kept),
    ...(asGet || body === undefined ? {} : { body }),
  };
}
