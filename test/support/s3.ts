import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { freePort } from '@lattice/embedded';
import { eventually } from './eventually';

/** A service that speaks the protocol of S3, with a bucket of the test's own. */
export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly keys: { readonly id: string; readonly secret: string };
  stop(): Promise<void>;
}

const START_MS = 30_000;
const KEYS = { id: 'test', secret: 'test-secret' };

/**
 * The service that LATTICE_TEST_S3 names (keys `test`, `test-secret`), else one of moto that is started here. Undefined where there is none;
 * with LATTICE_TEST_S3=required that is an error.
 */
export async function startS3(): Promise<S3Server | undefined> {
  const given = process.env['LATTICE_TEST_S3'] ?? '';
  if (given.startsWith('http')) return withBucket(given, () => Promise.resolve());
  const port = await freePort();
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const ended = endOf(child);
  const endpoint = `http://127.0.0.1:${port}`;
  const started = eventually('the S3 server answers', async () => (await answers(endpoint)) || undefined, START_MS);
  const first = await Promise.race([ended, started]);
  if (first === true) {
    return withBucket(endpoint, async () => {
      child.kill();
      await ended;
    });
  }
  if (given === 'required')
    throw new Error(
      `LATTICE_TEST_S3=required, but moto_server does not run (${String(first)}): pip install 'moto[server]'`,
    );
  return undefined;
}

async function withBucket(endpoint: string, stop: () => Promise<void>): Promise<S3Server> {
  const bucket = `lattice-${randomUUID()}`;
  const { S3Client, CreateBucketCommand } = await import('@aws-sdk/client-s3');
  const credentials = { accessKeyId: KEYS.id, secretAccessKey: KEYS.secret };
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  return { endpoint, bucket, keys: KEYS, stop };
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? code}`));
  });
}

async function answers(endpoint: string): Promise<boolean> {
  return fetch(`${endpoint}/moto-api/`).then(
    () => true,
    () => false,
  );
}
