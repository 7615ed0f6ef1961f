import { WebSocket } from 'ws';
import { z } from 'zod';
import type { Api } from './api';
import { eventually } from '../../support/eventually';

const frameSchema = z.strictObject({
  id: z.string().regex(/^\d+$/),
  type: z.string(),
  runId: z.string(),
  taskKey: z.string().nullable(),
  attempt: z.number().nullable(),
  at: z.iso.datetime({ precision: 3 }),
  data: z.record(z.string(), z.unknown()),
});
export type Frame = z.infer<typeof frameSchema>;

/** A stream of events that is being read. */
export interface Stream {
  /** What has come so far. */
  readonly frames: readonly Frame[];
  /** Waits for the first frame that fits. */
  until(what: string, fits: (frame: Frame) => boolean): Promise<Frame>;
  close(): void;
}

export interface EventStream extends Stream {
  readonly status: number;
  /** Resolves when the server has ended it. */
  readonly ended: Promise<void>;
}

/** Opens GET /v1/runs/:id/events. */
export async function openEvents(
  api: Api,
  runId: string,
  { after, lastEventId }: { after?: string; lastEventId?: string } = {},
): Promise<EventStream> {
  const abort = new AbortController();
  const response = await fetch(`${api.url}/v1/runs/${runId}/events${after === undefined ? '' : `?after=${after}`}`, {
    headers: {
      Authorization: `Bearer ${api.key}`,
      ...(lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId }),
    },
    signal: abort.signal,
  });
  const frames: Frame[] = [];
  const ended = readEvents(response, frames);
  // Whoever closes it early does not wait for its end.
  ended.catch(() => undefined);
  return { status: response.status, frames, ended, until: untilIn(frames), close: () => abort.abort() };
}

async function readEvents(response: Response, frames: Frame[]): Promise<void> {
  if (response.body === null) return;
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body) {
    text += decoder.decode(z.instanceof(Uint8Array).parse(chunk), { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line): [string, string] => splitField(line)));
      const data = fields.get('data');
      // Comments keep the connection open.
      if (data === undefined) continue;
      const frame = frameSchema.parse(JSON.parse(data));
      expect({ id: fields.get('id'), event: fields.get('event') }).toEqual({ id: frame.id, event: frame.type });
      frames.push(frame);
    }
  }
}

function splitField(line: string): [string, string] {
  const at = line.indexOf(':');
  return [line.slice(0, at), line.slice(at + 1).trimStart()];
}

function untilIn(frames: readonly Frame[]): Stream['until'] {
  return (what, fits) => eventually(what, () => frames.find(fits));
}

export interface Socket extends Stream {
  /** Frames that are no events: faults and answers. */
  readonly others: readonly unknown[];
  /** Code and reason of the close, once the server has closed it. */
  readonly closed: Promise<{ code: number; reason: string }>;
  send(frame: unknown): void;
}

/** Opens /v1/ws; `header` sends the key with the handshake, otherwise the first frame has to. */
export async function openSocket(api: Api, { header = false }: { header?: boolean } = {}): Promise<Socket> {
  const socket = new WebSocket(`${api.url.replace('http', 'ws')}/v1/ws`, {
    headers: header ? { Authorization: `Bearer ${api.key}` } : {},
  });
  const frames: Frame[] = [];
  const others: unknown[] = [];
  socket.on('message', (data: Buffer) => {
    const frame: unknown = JSON.parse(data.toString());
    const event = frameSchema.safeParse(frame);
    if (event.success) frames.push(event.data);
    else others.push(frame);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code: number, reason: Buffer) => resolve({ code, reason: reason.toString() }));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve).once('error', reject);
  });
  return {
    frames,
    others,
    closed,
    until: untilIn(frames),
    send: (frame) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    close: () => socket.close(),
  };
}
