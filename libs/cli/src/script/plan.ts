import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { RetryPolicy, WorkflowDocument } from '@lattice/contracts';
import { BadInput } from '../bad-input';
import { readConfig, refuseUnknown, settingsOf, type ScriptConfig, type ScriptSettings } from './config';
import { discover } from './discover';
import { fits } from './glob';

/** Of a script for which nobody says another. */
export const DEFAULT_TIMEOUT = '10m';
export const DEFAULT_DEPTH = 2;

/** What the command line says; it takes the place of what the file of the folder says for all scripts. */
export interface PlanOptions {
  readonly depth?: number | undefined;
  readonly filter: readonly string[];
  readonly skip: readonly string[];
  readonly timeout?: string | undefined;
  readonly allowExit?: readonly number[] | undefined;
  readonly failFast: boolean;
}

/** A script with all that holds for it. */
export interface PlannedScript {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  /** Key of its task. */
  readonly key: string;
  readonly timeout: string;
  readonly allowExit: readonly number[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly interpreter: readonly string[];
  readonly retry: RetryPolicy | undefined;
  /** Keys of tasks. */
  readonly needs: readonly string[];
}

/** What is to be run of a folder. */
export interface ScriptPlan {
  /** Absolute. */
  readonly folder: string;
  readonly name: string;
  readonly jobs: number | undefined;
  readonly onFailure: 'cancel' | 'continue';
  readonly scripts: readonly PlannedScript[];
  readonly passedOver: readonly { readonly path: string; readonly reason: string }[];
}

/** Finds the scripts of a folder and what holds for each. Throws BadInput: no folder, faults of its file. */
export async function planScripts(shown: string, cwd: string, options: PlanOptions): Promise<ScriptPlan> {
  const folder = resolve(cwd, shown);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new BadInput(`${shown} is not a folder.`);
  const read = await readConfig(folder, shown);
  const { config } = read;
  const found = discover(folder, {
    depth: options.depth ?? config.depth ?? DEFAULT_DEPTH,
    filter: options.filter.length > 0 ? options.filter : (config.filter ?? []),
    skip: [...options.skip, ...(config.skip ?? [])],
    interpreted: (path) => settingsOf(path, config).interpreter !== undefined,
  });
  await refuseUnknown(read, [...found.scripts, ...found.passedOver.map(({ path }) => path)]);
  const skipped = found.scripts.flatMap((path) => reasonToSkip(path, settingsOf(path, config)));
  const chosen = found.scripts.filter((path) => !skipped.some((one) => one.path === path));
  const { taskKeysOf, legalName } = await import('@lattice/importers');
  const keys = new Map(taskKeysOf(chosen).map((key, n) => [chosen[n] ?? '', key]));
  return {
    folder,
    name: config.name ?? legalName(basename(folder)),
    jobs: config.jobs,
    onFailure: options.failFast ? 'cancel' : (config.onFailure ?? 'continue'),
    scripts: chosen.map((path) => planned(path, { config, options, keys })),
    passedOver: [...found.passedOver, ...skipped].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

function reasonToSkip(path: string, { skip }: ScriptSettings): { path: string; reason: string }[] {
  if (skip === undefined || skip === false) return [];
  return [{ path, reason: skip === true ? 'skipped by its settings' : skip }];
}

function planned(
  path: string,
  { config, options, keys }: { config: ScriptConfig; options: PlanOptions; keys: ReadonlyMap<string, string> },
): PlannedScript {
  const own = settingsOf(path, { scripts: config.scripts });
  const all = settingsOf(path, config);
  // A need that was filtered out is not waited for: whoever chooses one script wants that one.
  const needs = [...keys].filter(([other]) => other !== path && all.needs?.some((pattern) => fits(pattern, other)));
  return {
    path,
    key: keys.get(path) ?? path,
    timeout: own.timeout ?? options.timeout ?? all.timeout ?? DEFAULT_TIMEOUT,
    allowExit: own.allowExit ?? options.allowExit ?? all.allowExit ?? [0],
    args: all.args ?? [],
    env: Object.fromEntries(Object.entries(all.env ?? {}).map(([name, value]) => [name, String(value)])),
    interpreter: all.interpreter ?? [],
    retry: all.retry,
    needs: needs.map(([, key]) => key),
  };
}

/** The workflow of a folder: a task for each script. `uses` says who does one. */
export function documentOf(
  plan: ScriptPlan,
  uses: (script: PlannedScript) => { uses: string; with?: WorkflowDocument['tasks'][string]['with'] },
): WorkflowDocument {
  const tasks = plan.scripts.map((script): [string, WorkflowDocument['tasks'][string]] => [
    script.key,
    {
      ...uses(script),
      timeout: script.timeout,
      description: script.path,
      ...(script.retry === undefined ? {} : { retry: script.retry }),
      ...(script.needs.length === 0 ? {} : { needs: [...script.needs] }),
    },
  ]);
  return {
    name: plan.name,
    description: `Scripts of ${plan.folder}`,
    onFailure: plan.onFailure,
    tags: ['scripts'],
    tasks: Object.fromEntries(tasks),
  };
}
