import { LatticeError, fault } from '@lattice/contracts';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { JSONRPCErrorResponseSchema, JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { createServer, type ServerOptions } from './create-server';
import type { Access } from './platform';

/** A message of a client over Streamable HTTP. */
export interface HttpMessage {
  /** The body, parsed. */
  readonly message: unknown;
  /** The header MCP-Protocol-Version. */
  readonly protocolVersion: string | undefined;
  /** Aborted when the client is gone, or has its answer: all that was made for it ends then. */
  readonly signal: AbortSignal;
}

const wantsProgressSchema = z.looseObject({
  params: z.looseObject({ _meta: z.looseObject({ progressToken: z.union([z.string(), z.number()]) }) }),
});

/**
 * Answers a message without keeping anything of it: any process may answer the next. The answer is JSON, or a stream of events
 * for who asks for progress; 202 without a body when there is nothing to answer. Throws `bad_request` for what is no message.
 */
export async function answerMessage(access: Access, options: ServerOptions, given: HttpMessage): Promise<Response> {
  const { message, protocolVersion, signal } = given;
  requireMessage(message);
  const server = createServer(access, options);
  const transport = new WebStandardStreamableHTTPServerTransport({
    enableJsonResponse: !wantsProgressSchema.safeParse(message).success,
  });
  const end = (): void => void server.close();
  signal.addEventListener('abort', end, { once: true });
  await server.connect(transport);
  const request = new Request('http://lattice.invalid/v1/mcp', {
    method: 'POST',
    headers: {
      // Which of both it is, is for this side to say; old and simple clients name one, or none.
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...(protocolVersion === undefined ? {} : { 'mcp-protocol-version': protocolVersion }),
    },
  });
  const response = await Promise.race([transport.handleRequest(request, { parsedBody: message }), gone(signal)]);
  if (response.status < 400) return response;
  throw new LatticeError('bad_request', await reasonOf(response));
}

/** A transport that is closed leaves its answer open for ever. */
function gone(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(new LatticeError('bad_request', 'The client is gone.'));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

function requireMessage(message: unknown): void {
  if (Array.isArray(message)) {
    throw new LatticeError('bad_request', 'Send one message: MCP has no batches any more.', {
      faults: [fault('bad_type', '', 'expected object, received array')],
    });
  }
  if (JSONRPCMessageSchema.safeParse(message).success) return;
  throw new LatticeError(
    'bad_request',
    'The body is no message of JSON-RPC 2.0: {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}.',
    { faults: [fault('bad_value', '', 'neither a request, a notification nor a response')] },
  );
}

async function reasonOf(response: Response): Promise<string> {
  const body: unknown = await response.json();
  const parsed = JSONRPCErrorResponseSchema.safeParse({ id: 0, ...Object(body) });
  return parsed.success ? parsed.data.error.message : `The message was refused (${response.status}).`;
}
