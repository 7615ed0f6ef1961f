import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { taskError } from '@lattice/contracts';
import type Dockerode from 'dockerode';
import { z } from 'zod';
import { TaskFault } from '../outcome';
import { messageOf } from '../thrown';

/** A credential helper that does not answer in this time is ended. */
const HELPER_MS = 10_000;
const HUB = 'docker.io';
const HUB_KEY = 'https://index.docker.io/v1/';
/** Names by which configurations know it. */
const HUB_HOSTS: ReadonlySet<string> = new Set([HUB, 'index.docker.io', 'registry-1.docker.io']);

/** What a configuration of Docker says of logins; the rest of it is not looked at. */
const configSchema = z.object({
  auths: z
    .record(
      z.string(),
      z.object({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
        identitytoken: z.string().optional(),
        registrytoken: z.string().optional(),
      }),
    )
    .default({}),
  credHelpers: z.record(z.string(), z.string()).default({}),
  credsStore: z.string().optional(),
});
type Config = z.infer<typeof configSchema>;
type Entry = Config['auths'][string];

const helpedSchema = z.object({ Username: z.string(), Secret: z.string() });

export type Login = Dockerode.AuthConfigObject;

/** Host, and port, of the registry that an image is pulled from. */
export function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/');
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : HUB;
}

/**
 * The login for a registry; undefined when there is none. `source` is a configuration of Docker: JSON, or the path of a file that is read
 * each time. Throws TaskFault `registry_credentials`, whose message holds no credential.
 */
export async function loginFor(registry: string, source: string | undefined): Promise<Login | undefined> {
  if (source === undefined) return undefined;
  const config = await readConfig(source);
  const helper = find(config.credHelpers, registry);
  if (helper !== undefined) return askHelper(helper, registry);
  const entry = find(config.auths, registry);
  const login = entry === undefined ? undefined : loginOf(entry, registry);
  if (login !== undefined || config.credsStore === undefined) return login;
  // The entries of a store are in `auths`, empty; without one there is nothing to ask for.
  return entry === undefined ? undefined : askHelper(config.credsStore, registry);
}

async function readConfig(source: string): Promise<Config> {
  const isJson = source.trimStart().startsWith('{');
  const where = isJson ? 'LATTICE_REGISTRY_AUTH' : source;
  let text = source;
  try {
    if (!isJson) text = await readFile(source, 'utf8');
  } catch (error) {
    throw bad(`${source} can not be read: ${messageOf(error)}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad(`${where} is not JSON`);
  }
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw bad(`${where} is no configuration of Docker: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

/** Keys may be URLs, and Docker Hub has several names. */
function find<T>(table: Readonly<Record<string, T>>, registry: string): T | undefined {
  const hostOf = (key: string): string => {
    const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
    return HUB_HOSTS.has(host) ? HUB : host;
  };
  return Object.entries(table).find(([key]) => hostOf(key) === hostOf(registry))?.[1];
}

function loginOf(entry: Entry, registry: string): Login | undefined {
  const { auth, identitytoken, registrytoken } = entry;
  const serveraddress = registry === HUB ? HUB_KEY : registry;
  if (identitytoken !== undefined) return { identitytoken, serveraddress };
  if (registrytoken !== undefined) return { registrytoken, serveraddress };
  const { username, password } = auth === undefined || auth === '' ? entry : decode(auth, registry);
  if (username === undefined && password === undefined) return undefined;
  return { username: username ?? '', password: password ?? '', serveraddress };
}

function decode(auth: string, registry: string): { username: string; password: string } {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const at = text.indexOf(':');
  if (at < 1) throw bad(`the auth of ${registry} is not the base64 of user:password`);
  return { username: text.slice(0, at), password: text.slice(at + 1) };
}

async function askHelper(name: string, registry: string): Promise<Login> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
    throw bad(`${JSON.stringify(name)} is no name of a credential helper`);
  const program = `docker-credential-${name}`;
  const server = registry === HUB ? HUB_KEY : registry;
  const said = await new Promise<string>((resolve, reject) => {
    // Helpers look for what they need in the environment of whoever asks.
    const options = { env: process.env, timeout: HELPER_MS, killSignal: 'SIGKILL' } as const;
    const child = execFile(program, ['get'], options, (error, out) => {
      if (error === null) return resolve(out);
      // What it printed is not shown: it could be a credential.
      const why = error.code === 'ENOENT' ? 'is not on the PATH' : `failed (${error.signal ?? error.code ?? ''})`;
      reject(bad(`the credential helper ${program} for ${registry} ${why}`));
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(server);
  });
  const parsed = helpedSchema.safeParse(parse(said));
  if (!parsed.success) throw bad(`the credential helper ${program} answered with no credentials for ${registry}`);
  const { Username: username, Secret: secret } = parsed.data;
  if (username === '<token>') return { identitytoken: secret, serveraddress: server };
  return { username, password: secret, serveraddress: server };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function bad(message: string): TaskFault {
  return new TaskFault(taskError('registry_credentials', message));
}
