import type { IncomingMessage } from 'node:http';
import { KeyRing, LiveHub, WorkersFeed } from '@lattice/engine';
import { Inject } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { WebSocket } from 'ws';
import { Authenticator } from '../auth/authenticator';
import { ENGINE, type Engine } from '../engine';
import { GOING_AWAY } from '../socket/client-socket';
import { WriteTurns } from '../socket/write-turns';
import { LiveConnection } from './live-connection';

/** Frames of clients are small. */
const MAX_FRAME = 65_536;

export const LIVE_PATH = '/v1/ws';

/** WS /v1/ws: the events of any number of runs over one connection. */
@WebSocketGateway({ path: LIVE_PATH, maxPayload: MAX_FRAME })
export class LiveGateway implements OnGatewayConnection {
  private readonly connections = new Set<LiveConnection>();
  private readonly workers: WorkersFeed;
  private readonly turns = new WriteTurns();

  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly hub: LiveHub,
    private readonly keys: KeyRing,
    private readonly authenticator: Authenticator,
  ) {
    this.workers = new WorkersFeed(engine);
  }

  handleConnection(socket: WebSocket, request: IncomingMessage): void {
    const { engine, hub, workers, keys, authenticator, turns } = this;
    const deps = { engine, hub, workers, keys, authenticator, turns, log: engine.log };
    const connection = new LiveConnection(socket, request, deps);
    this.connections.add(connection);
    socket.on('close', () => this.connections.delete(connection));
    connection.start();
  }

  /** Tells every client that the server stops. */
  closeAll(reason: string): void {
    for (const connection of this.connections) connection.close(GOING_AWAY, reason);
  }
}
