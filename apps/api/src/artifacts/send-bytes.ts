import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LatticeError, type Artifact } from '@lattice/contracts';
import type { Request, Response } from 'express';
import type { Part } from './part-of';

/**
 * Answers with an artifact. What a task made is none of ours: browsers are to save it, never to show or run it as a page of this server.
 * Throws what the store throws, as long as nothing was sent; later the connection is broken off.
 */
export async function sendBytes(
  asked: { request: Request; response: Response; artifact: Artifact; part: Part | 'beyond' | undefined },
  open: (options: { range?: Part }) => Promise<Readable>,
): Promise<void> {
  const { request, response, artifact, part } = asked;
  if (part === 'beyond')
    throw new LatticeError('range_not_satisfiable', `The artifact has ${artifact.size} bytes, none in that range.`);
  const body = request.method === 'HEAD' ? undefined : await open(part === undefined ? {} : { range: part });
  const length = part === undefined ? artifact.size : part.end - part.start + 1;
  response.status(part === undefined ? 200 : 206).set({
    'Content-Length': String(length),
    'Content-Disposition': dispositionOf(artifact.name),
    'Accept-Ranges': 'bytes',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; sandbox",
    ...(part === undefined ? {} : { 'Content-Range': `bytes ${part.start}-${part.end}/${artifact.size}` }),
  });
  // `set` would add a charset, which is not ours to tell.
  response.setHeader('Content-Type', artifact.mediaType);
  if (body === undefined) response.end();
  // A client that goes away ends the reading; a store that breaks off ends the answer before its length.
  else await pipeline(body, response).catch(() => response.destroy());
}

/** The last part of the name, in a form for old clients and one for the others. */
function dispositionOf(name: string): string {
  const file = name.slice(name.lastIndexOf('/') + 1);
  const plain = file.replaceAll(/[^A-Za-z0-9._ -]/g, '_');
  const whole = encodeURIComponent(file).replaceAll(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${whole}`;
}
