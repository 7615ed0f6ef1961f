import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@lattice/embedded';
import { Api } from './api';
import { cleanEnv, endPrograms, lattice, start, type Program } from './programs';
import { testServices, type TestServices } from './services';

/** A running platform, as `lattice up` starts it. */
export interface Platform {
  readonly api: Api;
  readonly home: string;
  /** The environment in which the command line finds it. */
  readonly env: NodeJS.ProcessEnv;
  readonly launcher: Program;
  /** Ends it, and removes all that it has left. */
  stop(): Promise<void>;
}

/** Starts the built apps through the launcher, on services of this spec file, in a home and on a port of their own. */
export async function startPlatform(more: NodeJS.ProcessEnv = {}): Promise<Platform> {
  const home = newHome();
  const services = await testServices();
  const env = cleanEnv({ ...services.env, LATTICE_HOME: home, ...more });
  const launcher = start(...lattice(['up', '--port', String(await freePort())], env));
  const stop = async (): Promise<void> => {
    await endPrograms();
    await removeAll(services, home);
  };
  try {
    await launcher.prints('Lattice is running at');
  } catch (error) {
    await stop();
    throw error;
  }
  return { api: apiOf(launcher, home), home, env, launcher, stop };
}

async function removeAll(services: TestServices, home: string): Promise<void> {
  await services.stop();
  rmSync(home, { recursive: true, force: true });
}

/** The API at the address that a launcher has printed. */
export function apiOf(launcher: Program, home: string): Api {
  const url = /Lattice is running at (\S+)/.exec(launcher.output())?.[1];
  if (url === undefined) throw new Error(`no address in:\n${launcher.output()}`);
  return new Api(url, readFileSync(join(home, 'admin.key'), 'utf8').trim());
}

export function newHome(): string {
  return mkdtempSync(join(tmpdir(), 'lattice-e2e-'));
}

export function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address;
}
