import type { IncomingMessage } from 'node:http';
import { KeyRing, LiveHub } from '@lattice/engine';
import { Inject } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { WebSocket } from 'ws';
import { Authenticator } from '../auth/authenticator';
import { ENGINE, type Engine } from '../engine';
import { CLOSE, LiveConnection } from './live-connection';

/** Frames of clients are small. */
const MAX_FRAME = 65_536;

/** WS /v1/ws: the events of any number of runs over one connection. */
@WebSocketGateway({ path: '/v1/ws', maxPayload: MAX_FRAME })
export class LiveGateway implements OnGatewayConnection {
  private readonly connections = new Set<LiveConnection>();

  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly hub: LiveHub,
    private readonly keys: KeyRing,
    private readonly authenticator: Authenticator,
  ) {}

  handleConnection(socket: WebSocket, request: IncomingMessage): void {
    const { engine, hub, keys, authenticator } = this;
    const connection = new LiveConnection(socket, request, { engine, hub, keys, authenticator, log: engine.log });
    this.connections.add(connection);
    socket.on('close', () => this.connections.delete(connection));
    connection.start();
  }

  /** Tells every client that the server stops. */
  closeAll(reason: string): void {
    for (const connection of this.connections) connection.close(CLOSE.goingAway, reason);
  }
}
