import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';

const SECRET = /^[\x21-\x7e]{20,500}$/;
const codedSchema = z.object({ code: z.string() });

/**
 * The secret in a file, which is made with `make()` when there is none (mode 600, its folder 700). The file appears whole or
 * not at all, and of several processes that make it at once all read the same. Throws when the file holds no secret.
 */
export async function readOrMakeSecret(path: string, make: () => string): Promise<string> {
  const found = await readSecret(path);
  if (found !== undefined) return found;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  try {
    await writeDurably(draft, `${make()}\n`);
    // Unlike a rename, a link never replaces a file that another process has made meanwhile.
    await link(draft, path).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  const made = await readSecret(path);
  if (made === undefined) throw new Error(`${path} was removed while it was being made.`);
  return made;
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readSecret(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const secret = text.trim();
  if (SECRET.test(secret)) return secret;
  throw new Error(
    `${path} holds no secret: 20 to 500 printable characters in one line. Remove the file to get a new one.`,
  );
}

function codeOf(error: unknown): string | undefined {
  const coded = codedSchema.safeParse(error);
  return coded.success ? coded.data.code : undefined;
}
