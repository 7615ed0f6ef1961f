import { EmbeddedError, embeddedCodes } from './errors';
import { freePort, portIsFree } from './free-port';
import type { Env } from './home';

export const defaultPort = 3000;

export interface ChoosePort {
  /** From the caller; else PORT of the environment; else 3000. */
  readonly port?: number | undefined;
  readonly env: Env;
  /** The platform ends after one run: nobody waits at a known address, so any free port will do. */
  readonly exit: boolean;
  readonly host: string;
}

/** The port to serve on, found free. Throws `port_taken` or `port_invalid`, both naming PORT. */
export async function choosePort({ port, env, exit, host }: ChoosePort): Promise<number> {
  const asked = port ?? readPort(env['PORT']);
  if (asked === 0 || (asked === undefined && exit)) return freePort();
  const wanted = asked ?? defaultPort;
  if (await portIsFree(wanted, host)) return wanted;
  throw new EmbeddedError(
    embeddedCodes.portTaken,
    `Port ${wanted} is in use by another program; nothing was started. Set PORT to a free one, for example: PORT=${wanted + 1} npm start`,
    { port: wanted },
  );
}

function readPort(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new EmbeddedError(
    embeddedCodes.portInvalid,
    `PORT is ${JSON.stringify(text)}, which is not a port (0 to 65535).`,
    { port: text },
  );
}
