import type { Duplex } from 'node:stream';
import { problemOf } from './problem';

/** Answers what is not HTTP at all, or has too many headers, before any handler could see it. */
export function refuseMalformed(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const detail = tooLarge ? 'The headers of the request are too large.' : 'This is not a request of HTTP/1.1.';
  const body = JSON.stringify({ ...problemOf('bad_request', detail), status: tooLarge ? 431 : 400 });
  const status = tooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/problem+json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
