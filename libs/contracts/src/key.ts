import { z } from 'zod';

/**
 * What a key may do. `viewer` reads, `operator` also submits, saves and cancels, `admin` also manages keys and sees the
 * queues; each holds what the one before it may. `worker` is for worker processes and may nothing of these.
 */
export const KEY_SCOPES = ['viewer', 'operator', 'admin', 'worker'] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];

/** Body of POST /v1/keys. */
export const createKeySchema = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[^\0]*$/, 'may not hold the character NUL'),
  scope: z.enum(KEY_SCOPES),
});
export type CreateKey = z.infer<typeof createKeySchema>;

/** A key as GET /v1/keys shows it: never the secret. */
export const keyViewSchema = z.object({
  id: z.uuid(),
  name: z.string(),
  scope: z.enum(KEY_SCOPES),
  createdAt: z.string(),
  lastUsedAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
});
export type KeyView = z.infer<typeof keyViewSchema>;

export const keyListSchema = z.object({ keys: z.array(keyViewSchema) });

/** Answer of POST /v1/keys, the only one that holds the secret. */
export const createdKeySchema = keyViewSchema.extend({ key: z.string() });
export type CreatedKey = z.infer<typeof createdKeySchema>;
