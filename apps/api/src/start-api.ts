import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  KeyRing,
  LiveHub,
  SendAtOnce,
  ensureAdminKey,
  ensureSecretsKey,
  migrateDatabase,
  openRuntime,
  readSessionSecret,
  type Engine,
  type Runtime,
} from '@lattice/engine';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { WsAdapter } from '@nestjs/platform-ws';
import { AppModule } from './app.module';
import { authenticate } from './auth/authenticate';
import { Authenticator } from './auth/authenticator';
import { BOARD_PATH, queueBoard } from './board/queue-board';
import { serveDocs } from './docs/open-api';
import { Connections } from './http/connections';
import { nestLogger } from './http/nest-logger';
import { servePlainRequests } from './http/plain-requests';
import { refuseMalformed } from './http/refuse-malformed';
import { LIVE_PATH, LiveGateway } from './live/live.gateway';
import { WORKER_PATH, WorkerGateway } from './worker-socket/worker.gateway';

/** Milliseconds that requests in progress have to end once the API stops. */
const DRAIN_MS = 10_000;
/** Longer than load balancers keep theirs: the side that picks a connection for reuse must be the one that closes it. */
const KEEP_ALIVE_MS = 65_000;

export interface RunningApi {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** Stops taking requests, tells sockets and streams, lets requests end. Calling it twice is harmless. */
  close(): Promise<void>;
}

/** Migrates, makes sure that there are an admin key and a key of secrets, and listens on HOST and PORT. The engine stays the caller's to close. */
export async function startApi(engine: Engine): Promise<RunningApi> {
  const { log, settings } = engine;
  await migrateDatabase(engine);
  await ensureAdminKey(engine);
  await ensureSecretsKey(engine);
  const runtime = await openRuntime(engine);
  const hub = new LiveHub(engine);
  const sender = new SendAtOnce(runtime);
  const keys = new KeyRing(engine);
  const authenticator = new Authenticator(keys, await readSessionSecret(engine));
  const app = await NestFactory.create<NestExpressApplication>(
    AppModule.with({ engine, runtime, hub, keys, authenticator, sender }),
    // Bodies are read by the routes that want one; a start that fails is told by an exception, not by an exit.
    { bodyParser: false, abortOnError: false, logger: nestLogger(log) },
  );
  app.disable('x-powered-by');
  app.set('etag', false);
  // Routes that give a tag look at `If-None-Match` themselves; Express would answer `*` with 304 on all the others too.
  Object.defineProperty(app.getHttpAdapter().getInstance().request, 'fresh', { value: false });
  app.use(authenticate(authenticator, log));
  app.use(BOARD_PATH, queueBoard(engine, log));
  // Frames are read by the connection itself, which answers faulty ones too.
  app.useWebSocketAdapter(new WsAdapter(app, { messageParser: () => undefined }));
  serveDocs(app);
  const server: Server = app.getHttpServer();
  const connections = new Connections(server);
  await app.init();
  servePlainRequests(server, [LIVE_PATH, WORKER_PATH]);
  await app.listen(settings.port, settings.host);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = KEEP_ALIVE_MS + 1_000;
  server.on('clientError', refuseMalformed);
  const url = urlOf(server, settings.host);
  log.info({ url }, 'the API listens');
  let closing: Promise<void> | undefined;
  return { url, close: () => (closing ??= stop({ app, connections, hub, runtime, sender })) };
}

async function stop(parts: {
  app: NestExpressApplication;
  connections: Connections;
  hub: LiveHub;
  runtime: Runtime;
  sender: SendAtOnce;
}): Promise<void> {
  const { app, connections, hub, runtime, sender } = parts;
  const drained = connections.drain(DRAIN_MS);
  // Streams end and waiting requests answer with the status of this moment.
  app.get(LiveGateway).closeAll('the server stops');
  await app.get(WorkerGateway).closeAll('the server stops');
  await hub.close('the server stops; come back later');
  await drained;
  await app.close();
  await sender.close();
  await runtime.flows.close();
}

function urlOf(server: Server, host: string): string {
  const address: string | AddressInfo | null = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const named = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${named}:${port}`;
}
