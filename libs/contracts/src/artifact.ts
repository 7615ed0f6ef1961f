import { z } from 'zod';

/** What a task left in the store of artifacts, as expressions and the result of the task have it: a reference, never the bytes. */
export const artifactSchema = z.object({
  id: z.uuid(),
  name: z.string().describe('Path below the folder of artifacts, with / between folders.'),
  size: z.number().int().describe('Bytes.'),
  sha256: z.string().describe('Hex.'),
  mediaType: z.string(),
});
export type Artifact = z.infer<typeof artifactSchema>;

/** Path of a file that a task is given: below the folder of files, nowhere else. */
const FILE_PATH = /^(?!.*(?:^|\/)(?:\.{0,2})(?:\/|$))[^\p{Cc}\\]{1,512}$/u;

/** Path of a file: of one that a task is given, or that a handler saves. */
export const filePathSchema = z
  .string()
  .regex(FILE_PATH, 'not the path of a file: no empty parts, no . or .., no \\, up to 512 characters');

/** Files that a task is given, as its expressions came out. */
export const givenFilesSchema = z.record(filePathSchema, artifactSchema);
export type GivenFiles = z.infer<typeof givenFilesSchema>;

/** An artifact of a run, in a list. */
export const artifactViewSchema = artifactSchema.extend({
  kind: z.enum(['file', 'output']).describe('output: the output of the task, too large to be kept inline.'),
  task: z.string(),
  attempt: z.number().int(),
  createdAt: z.string(),
});
export type ArtifactView = z.infer<typeof artifactViewSchema>;

/** GET /v1/runs/:id/artifacts. */
export const artifactListSchema = z.object({ artifacts: z.array(artifactViewSchema), next: z.string().nullable() });
export type ArtifactList = z.infer<typeof artifactListSchema>;

/** An event lists so many artifacts at most; the run has them all. */
export const EVENT_ARTIFACTS = 100;
