import { request, type Agent, type IncomingMessage } from 'node:http';
import type { WireRequest } from './requests';

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Of an event stream: what came at first. */
  readonly text: string;
}

const LIMIT_MS = 15_000;

/** Sends a request byte by byte as given; throws when no answer comes in time. */
export function send(
  url: string,
  { method, target, headers, body }: WireRequest,
  { agent, key }: { agent: Agent; key: string },
): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    const own = Object.hasOwn(headers, 'authorization') ? headers : { ...headers, authorization: `Bearer ${key}` };
    const framed = body === undefined ? own : { ...own, 'content-length': String(body.length) };
    const { hostname, port } = new URL(url);
    const options = { hostname, port, agent, method, path: target, headers: framed, setHost: true };
    const sent = request(options, (response) => {
      read(response).then(resolve, reject);
    });
    sent.setTimeout(LIMIT_MS, () => sent.destroy(new Error(`no answer within ${LIMIT_MS} ms`)));
    sent.once('error', reject);
    sent.end(body);
  });
}

async function read(response: IncomingMessage): Promise<WireAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    // A stream of events goes on as long as its run does.
    if (response.headers['content-type']?.startsWith('text/event-stream') === true) break;
  }
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: Buffer.concat(chunks).toString('utf8'),
  };
}
