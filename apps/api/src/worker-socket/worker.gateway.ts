import type { IncomingMessage } from 'node:http';
import { WORKER_CLOSE, WORKER_FRAME_BYTES } from '@lattice/contracts';
import { KeyRing, type Runtime } from '@lattice/engine';
import { Inject } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { WebSocket } from 'ws';
import { Authenticator } from '../auth/authenticator';
import { WriteTurns } from '../socket/write-turns';
import { WorkerConnection } from './worker-connection';

/** Token of what the work of workers needs of the engine. */
export const RUNTIME = Symbol('runtime');

/**
 * Each takes jobs in this process. 1,000 idle workers of one handler take about 70 MB and 9 % of a core of it; more want more
 * processes of the API.
 */
const MAX_WORKERS = 1_000;

export const WORKER_PATH = '/v1/worker';

/** WS /v1/worker: workers outside of the platform take tasks `handler/NAME` and give back what came of them. */
@WebSocketGateway({ path: WORKER_PATH, maxPayload: WORKER_FRAME_BYTES })
export class WorkerGateway implements OnGatewayConnection {
  private readonly connections = new Set<WorkerConnection>();
  private readonly byWorker = new Map<string, WorkerConnection>();
  private readonly turns = new WriteTurns();
  private stopping = false;

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    private readonly keys: KeyRing,
    private readonly authenticator: Authenticator,
  ) {}

  handleConnection(socket: WebSocket, request: IncomingMessage): void {
    const { runtime, keys, authenticator, turns } = this;
    if (this.stopping) return socket.close(WORKER_CLOSE.goingAway, 'the server stops');
    if (this.connections.size >= MAX_WORKERS)
      return socket.close(WORKER_CLOSE.tooMany, 'too many workers are connected');
    const connection = new WorkerConnection(socket, request, {
      runtime,
      keys,
      authenticator,
      turns,
      log: runtime.log,
      // The newest connection of a worker is the one that stands: the one before it may be dead without knowing.
      replace: async (workerId) => {
        const earlier = this.byWorker.get(workerId);
        this.byWorker.set(workerId, connection);
        await earlier?.close(WORKER_CLOSE.replaced, 'the worker has connected anew');
      },
    });
    this.connections.add(connection);
    void connection.ended.then((workerId) => {
      this.connections.delete(connection);
      if (workerId !== undefined && this.byWorker.get(workerId) === connection) this.byWorker.delete(workerId);
    });
    connection.start();
  }

  /** Tells every worker that the server stops; their attempts are left for them to bring elsewhere. */
  async closeAll(reason: string): Promise<void> {
    this.stopping = true;
    await Promise.all([...this.connections].map((connection) => connection.close(WORKER_CLOSE.goingAway, reason)));
  }
}
