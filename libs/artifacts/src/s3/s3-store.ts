import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { LatticeError } from '@lattice/contracts';
import { measured } from '../measure';
import { checkKey, type ArtifactStore } from '../store';

export interface S3Options {
  readonly bucket: string;
  /** Before every key; '' for none. */
  readonly prefix: string;
  /** Of another service than Amazon's. */
  readonly endpoint?: string | undefined;
  readonly region: string;
  /** Without them what the environment, the profile or the machine gives, as all programs of AWS look for them. */
  readonly keys?: { readonly id: string; readonly secret: string } | undefined;
  /** The bucket in the path of URLs, not in their host name: what most other services want. */
  readonly pathStyle: boolean;
}

const CONNECT_MS = 10_000;
/** A connection on which nothing moves for so long is given up. */
const SILENCE_MS = 60_000;
const TRIES = 3;
/** Objects up to this size go in one request; 10,000 parts are the most. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 2;
const REMOVALS_AT_ONCE = 8;

/** Objects in a bucket. The client is loaded when the first one is asked for: it takes a tenth of a second. */
export function openS3Store(options: S3Options): ArtifactStore {
  const { bucket: Bucket, prefix } = options;
  let loaded: ReturnType<typeof load> | undefined;
  const sdk = (): ReturnType<typeof load> => (loaded ??= load(options));
  const keyOf = (key: string): string => `${prefix === '' ? '' : `${prefix}/`}${checkKey(key)}`;

  return {
    identity: () => Promise.resolve(`s3:${Bucket}/${prefix}`),
    async put(key, body, { mediaType, limitBytes, signal }) {
      const { stream, stored } = measured(body, limitBytes);
      try {
        const { client, Upload } = await sdk();
        signal?.throwIfAborted();
        const params = { Bucket, Key: keyOf(key), Body: stream, ContentType: mediaType };
        const upload = new Upload({ client, params, partSize: PART_BYTES, queueSize: PARTS_AT_ONCE });
        const abort = (): void => void upload.abort();
        signal?.addEventListener('abort', abort, { once: true });
        try {
          await upload.done();
        } finally {
          signal?.removeEventListener('abort', abort);
        }
        return stored();
      } catch (error) {
        const cause = stream.errored ?? error;
        stream.destroy();
        body.destroy();
        throw asFault(cause);
      }
    },
    async get(key, { range, signal } = {}) {
      try {
        const { client, GetObjectCommand } = await sdk();
        const asked = range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` };
        const command = new GetObjectCommand({ Bucket, Key: keyOf(key), ...asked });
        const { Body } = await client.send(command, signal === undefined ? {} : { abortSignal: signal });
        if (Body instanceof Readable) return Body;
        throw new Error('the answer has no body');
      } catch (error) {
        throw asFault(error);
      }
    },
    async remove(keys) {
      try {
        const { client, DeleteObjectCommand } = await sdk();
        const left = [...keys];
        const removeNext = async (): Promise<void> => {
          for (let key = left.pop(); key !== undefined; key = left.pop())
            await client.send(new DeleteObjectCommand({ Bucket, Key: keyOf(key) }));
        };
        await Promise.all(Array.from({ length: REMOVALS_AT_ONCE }, removeNext));
      } catch (error) {
        throw asFault(error);
      }
    },
    close() {
      loaded?.then(({ client }) => client.destroy()).catch(() => undefined);
    },
  };
}

/** The version is pinned: that later ones will want a newer Node is nothing for the log of a user. */
const QUIET = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';

async function load({ endpoint, region, keys, pathStyle }: S3Options) {
  process.env[QUIET] ??= 'true';
  const [{ S3Client, GetObjectCommand, DeleteObjectCommand }, { Upload }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@aws-sdk/lib-storage'),
  ]);
  const client: S3Client = new S3Client({
    region,
    forcePathStyle: pathStyle,
    maxAttempts: TRIES,
    // Other services than Amazon's refuse checksums that they do not know; a hash of our own is kept for each artifact.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(keys === undefined ? {} : { credentials: { accessKeyId: keys.id, secretAccessKey: keys.secret } }),
  });
  return { client, Upload, GetObjectCommand, DeleteObjectCommand };
}

const GONE = new Set(['NoSuchKey', 'NotFound']);

function asFault(error: unknown): unknown {
  if (error instanceof LatticeError) return error;
  if (!(error instanceof Error)) return new LatticeError('artifacts_unavailable', String(error));
  if (error.name === 'AbortError') return error;
  if (GONE.has(error.name)) return new LatticeError('artifact_not_found', 'the store of artifacts does not have it');
  const reason = error.message === '' || error.message === error.name ? error.name : `${error.name}: ${error.message}`;
  return new LatticeError('artifacts_unavailable', `the store of artifacts (S3) failed: ${reason}`, { cause: error });
}
