import { join, resolve } from 'node:path';
import { z } from 'zod';
import { size } from './size';

/** `s3://bucket/prefix`; the prefix may be left out. */
const S3 = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9._/-]*))?$/;
const DEFAULT_REGION = 'us-east-1';

export const artifactVariables = {
  LATTICE_ARTIFACTS: z
    .string()
    .refine((text) => !text.startsWith('s3:') || S3.test(text), 'not a folder, nor s3://bucket/prefix')
    .optional(),
  LATTICE_S3_ENDPOINT: z.url({ protocol: /^https?$/, error: 'not a URL of http: or https:' }).optional(),
  LATTICE_S3_REGION: z.string().optional(),
  LATTICE_S3_KEY_ID: z.string().optional(),
  LATTICE_S3_SECRET: z.string().optional(),
  LATTICE_S3_PATH_STYLE: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
  LATTICE_MAX_ARTIFACTS: size.default(1_073_741_824),
  LATTICE_MAX_ARTIFACT_COUNT: z.coerce.number().int().min(0).max(10_000).default(1_000),
};

type Variables = z.infer<z.ZodObject<typeof artifactVariables>>;

/** One half of a key alone would be passed over in silence. */
export function artifactFaults(env: Variables, check: z.RefinementCtx): void {
  if ((env.LATTICE_S3_KEY_ID === undefined) === (env.LATTICE_S3_SECRET === undefined)) return;
  const missing = env.LATTICE_S3_KEY_ID === undefined ? 'LATTICE_S3_KEY_ID' : 'LATTICE_S3_SECRET';
  check.addIssue({ code: 'custom', path: [missing], message: 'missing' });
}

/** Where artifacts are kept, and how much of them a task may leave. */
export function artifactSettings(env: Variables, home: string) {
  return {
    store: storeOf(env, home),
    /** Bytes that an attempt may leave. */
    maxBytes: env.LATTICE_MAX_ARTIFACTS,
    maxCount: env.LATTICE_MAX_ARTIFACT_COUNT,
  };
}

function storeOf(env: Variables, home: string) {
  const s3 = S3.exec(env.LATTICE_ARTIFACTS ?? '');
  if (s3 === null)
    return { kind: 'folder', folder: resolve(env.LATTICE_ARTIFACTS ?? join(home, 'artifacts')) } as const;
  const { LATTICE_S3_ENDPOINT: endpoint, LATTICE_S3_KEY_ID: id, LATTICE_S3_SECRET: secret } = env;
  return {
    kind: 's3',
    bucket: s3[1] ?? '',
    prefix: (s3[2] ?? '').replace(/^\/+|\/+$/g, ''),
    endpoint,
    region: env.LATTICE_S3_REGION ?? DEFAULT_REGION,
    keys: id === undefined || secret === undefined ? undefined : { id, secret },
    pathStyle: env.LATTICE_S3_PATH_STYLE ?? endpoint !== undefined,
  } as const;
}
