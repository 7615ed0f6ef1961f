import { connect } from 'node:net';

/** Asks a Redis whether it answers commands (a loading one does not). No client library: this package starts before one is needed. */
export function pingRedis(port: number, password: string, limitMs = 1_000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    const finish = (ok: boolean): void => {
      socket.destroy();
      resolve(ok);
    };
    socket.setTimeout(limitMs, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
    socket.once('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (/^\+OK\r\n\+PONG\r\n/.test(answer)) finish(true);
      else if (answer.includes('-')) finish(false);
    });
  });
}
