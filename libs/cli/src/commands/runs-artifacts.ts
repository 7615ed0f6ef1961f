import { createHash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { ArtifactView } from '@lattice/contracts';
import type { LatticeClient } from '@lattice/sdk';
import { z } from 'zod';
import { BadInput } from '../bad-input';
import { EXIT, type ExitCode } from '../exit-codes';
import { bytes, table } from '../format';
import { does, type Context, type Shell } from '../register';
import { colorsOf, print, printJson } from '../terminal';

const optionsSchema = z.object({ task: z.string().optional(), download: z.string().optional() });

export function registerRunsArtifacts(runs: Command, shell: Shell): void {
  const command = runs
    .command('artifacts')
    .description(
      'Lists the files that the tasks of a run left, and outputs too large to be shown; with --download saves them.',
    )
    .argument('<id>', 'id of the run')
    .option('--task <key>', 'of this task only')
    .option('--download <folder>', 'save them as FOLDER/TASK/NAME; files that are there already are an error');
  does(shell, command, optionsSchema, artifacts);
}

async function artifacts(
  context: Context,
  { task, download }: z.infer<typeof optionsSchema>,
  args: readonly string[],
): Promise<ExitCode> {
  const [runId = ''] = args;
  const { terminal, globals } = context;
  const client = context.client();
  const all = await client.artifacts(runId, { task });
  if (download !== undefined) for (const artifact of all) await save(client, artifact, path.resolve(download));
  if (globals.json) printJson(terminal.out, all);
  else print(terminal.out, render(all, terminal));
  return EXIT.completed;
}

function render(all: readonly ArtifactView[], terminal: Context['terminal']): string {
  if (all.length === 0) return 'The run has no artifacts.';
  const colors = colorsOf(terminal.out, terminal.env);
  return table(
    all,
    [
      { title: 'TASK', of: ({ task }) => task },
      { title: 'NAME', of: ({ kind, name }) => (kind === 'output' ? 'its output' : name) },
      { title: 'SIZE', of: ({ size }) => bytes(size), align: 'right' },
      { title: 'TYPE', of: ({ mediaType }) => mediaType },
      { title: 'ID', of: ({ id }) => id },
    ],
    colors.dim,
  );
}

/** Names come from tasks: none may lead out of the folder, and nothing that is there is overwritten. */
async function save(client: LatticeClient, artifact: ArtifactView, folder: string): Promise<void> {
  const { id, task, name, sha256 } = artifact;
  const file = path.resolve(folder, task, name);
  if (!file.startsWith(path.join(folder, task) + path.sep)) throw new BadInput(`${name} leads out of ${folder}`);
  await mkdir(path.dirname(file), { recursive: true });
  const handle = await open(file, 'wx').catch((error: unknown) => {
    throw new BadInput(`${file} can not be written: ${String(error)}`, { cause: error });
  });
  const hash = createHash('sha256');
  try {
    // The type of the stream of the platform and that of Node say the same in different words.
    for await (const chunk of Readable.fromWeb(await client.readArtifact(id))) {
      const piece = z.instanceof(Uint8Array).parse(chunk);
      hash.update(piece);
      await handle.write(piece);
    }
    if (hash.digest('hex') !== sha256) throw new Error(`${file} came damaged: its SHA-256 is not that of the artifact`);
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}
