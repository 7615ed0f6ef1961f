import type { Readable, Writable } from 'node:stream';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { createServer, type ServerOptions } from './create-server';
import type { Access } from './platform';

export interface StdioOptions extends ServerOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Told of lines that are no messages, and of what could not be written. */
  readonly onFault: (error: Error) => void;
}

/** Serves one client over a pair of streams, a message a line. Resolves when the input ends or the signal aborts. */
export async function serveStdio(access: Access, options: StdioOptions): Promise<void> {
  const { input, output, signal, onFault } = options;
  const server = createServer(access, options);
  server.onerror = onFault;
  const closed = new Promise<void>((resolve) => {
    server.onclose = resolve;
    input.once('end', resolve);
    input.once('close', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
  await server.connect(new StdioServerTransport(input, output));
  await closed;
  await server.close();
}
