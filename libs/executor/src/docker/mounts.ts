import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { taskError } from '@lattice/contracts';
import type Dockerode from 'dockerode';
import { TaskFault } from '../outcome';
import type { ContainerMount, Execution, Mountable } from '../port';

/**
 * The folders of the host that a container is given, as the engine takes them. Only what lies in a folder that the worker was started
 * with may be given, wherever links lead, and written to where that folder may be; all else ends the task with `sandbox_failed`.
 */
export async function mountsOf(
  execution: Execution,
  mountable: readonly Mountable[],
): Promise<Dockerode.MountSettings[]> {
  if (execution.uses !== 'container') return [];
  return Promise.all((execution.container.mounts ?? []).map(async (mount) => settingsOf(mount, mountable)));
}

async function settingsOf(mount: ContainerMount, mountable: readonly Mountable[]): Promise<Dockerode.MountSettings> {
  const { source, target, readOnly } = mount;
  const real = await placeOf(source);
  if (real === undefined) throw refused(mount, 'is not there on this worker');
  const places = await Promise.all(mountable.map(async ({ folder }) => placeOf(folder)));
  const around = mountable.filter((_, index) => isWithin(places[index], real));
  if (around.length === 0) throw refused(mount, 'is in no folder of which this worker gives containers anything');
  if (!readOnly && !around.some(({ writable }) => writable))
    throw refused(mount, 'is given by this worker for reading only');
  return { Type: 'bind', Source: real, Target: target, ReadOnly: readOnly };
}

async function placeOf(file: string): Promise<string | undefined> {
  return realpath(file).catch(() => undefined);
}

function isWithin(folder: string | undefined, file: string): boolean {
  return folder !== undefined && (file === folder || file.startsWith(folder === path.sep ? folder : folder + path.sep));
}

function refused({ source, readOnly }: ContainerMount, why: string): TaskFault {
  const setting = `LATTICE_MOUNTS=${source}${readOnly ? '' : ':rw'}`;
  const message = `${source} ${why}: start workers that have it with ${setting}, and choose them with runsOn`;
  return new TaskFault(taskError('sandbox_failed', message, { details: { mount: source } }));
}
