import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type Dockerode from 'dockerode';
import { newFolder } from './support';

/** Builds an image from the lines of a Dockerfile; returns what removes it. */
export async function buildImage(
  client: Dockerode,
  name: string,
  lines: readonly string[],
): Promise<() => Promise<void>> {
  const folder = newFolder();
  try {
    writeFileSync(path.join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
    const stream = await client.buildImage({ context: folder, src: ['Dockerfile'] }, { t: name });
    await new Promise((resolve, reject) =>
      client.modem.followProgress(stream, (error) => (error ? reject(error) : resolve(0))),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
  return async () => void (await client.getImage(name).remove());
}
