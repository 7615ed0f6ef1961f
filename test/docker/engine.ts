import { execFileSync, spawnSync } from 'node:child_process';

const IMAGES = ['lattice/node', 'lattice/python'];

/**
 * Why containers can't be run here; undefined when they can. With LATTICE_TEST_DOCKER=required that is an error: then
 * these tests may not be skipped.
 */
export function whyNoContainers(): string | undefined {
  const reason = missing();
  if (reason !== undefined && process.env['LATTICE_TEST_DOCKER'] === 'required') {
    throw new Error(`LATTICE_TEST_DOCKER=required, but ${reason}`);
  }
  return reason;
}

function missing(): string | undefined {
  const answers = (...args: string[]): boolean => spawnSync('docker', args, { timeout: 20_000 }).status === 0;
  if (!answers('version')) return 'no Docker engine answers: start one (dockerd), then docker/make-images.sh';
  const absent = IMAGES.filter((image) => !answers('image', 'inspect', image));
  return absent.length === 0 ? undefined : `the engine lacks ${absent.join(' and ')}: run docker/make-images.sh`;
}

/** Names of the containers of a run, the stopped ones too. */
export function containersOf(runId: string): string[] {
  const args = ['ps', '--all', '--filter', `name=${runId}`, '--format', '{{.Names}}'];
  return execFileSync('docker', args, { encoding: 'utf8', timeout: 20_000 }).split('\n').filter(Boolean);
}
