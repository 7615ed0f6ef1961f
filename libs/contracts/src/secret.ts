import { z } from 'zod';
import { isTaskKey } from './ids';

/** A shorter value could not be masked in a log without masking ordinary words. */
export const SECRET_CHARACTERS = 8;
/** Of a value, in UTF-8: variables of an environment may not be much longer. */
export const SECRET_BYTES = 32_768;

/** Name of a secret: it can be written as `secrets.NAME` in an expression. */
export const secretNameSchema = z.string().refine(isTaskKey, {
  message:
    'not the name of a secret: letters, digits and _, up to 63, not starting with a digit, and not a word of CEL',
});

/** Body of PUT /v1/secrets/:name. */
export const putSecretSchema = z.strictObject({
  value: z
    .string()
    .regex(/^[^\0]*$/, 'holds the character NUL, which no environment can hold')
    .refine(
      (value) => value.trim().length >= SECRET_CHARACTERS,
      `has fewer than ${SECRET_CHARACTERS} characters (blanks around it are not counted), so it could not be masked in logs`,
    )
    .refine((value) => !/\p{Surrogate}/u.test(value), 'is not valid Unicode')
    .refine((value) => byteLength(value) <= SECRET_BYTES, `has more than ${SECRET_BYTES} bytes`),
});

/** A secret as the API shows it: never its value. */
export const secretViewSchema = z.object({
  name: z.string(),
  createdAt: z.string(),
  updatedAt: z.string().describe('When its value was last set.'),
  keyId: z.string().describe('Of the key that it is encrypted with.'),
});
export type SecretView = z.infer<typeof secretViewSchema>;

export const secretListSchema = z.object({ secrets: z.array(secretViewSchema) });

/** Answer of POST /v1/secrets/rotate. */
export const rotatedSecretsSchema = z.object({
  keyId: z.string().describe('Of the key that all secrets are encrypted with now.'),
  rotated: z.number().int().describe('How many were encrypted with another key before.'),
});
export type RotatedSecrets = z.infer<typeof rotatedSecretsSchema>;

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
