import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LatticeError } from '@lattice/contracts';
import type { BuildFailure, BuildResult, BuildOptions, Loader, TransformOptions } from 'esbuild';
import type { CodeTask } from '../workflow/task';
import { checkValue } from './check-value';
import { escapeExpressions } from './escape-expressions';
import { freeNames } from './free-names';
import { isGlobal, neededOf, parseModule } from './module-names';
import { notPortable } from './not-portable';
import { sourceOfFunction } from './parse-function';
import { portableSchema } from './portable-schema';

/** Above this a document with a few of them would be refused. */
const MAX_BYTES = 2 * 1_048_576;
/** Packages that load native modules by names made at run time. */
const NATIVE = /node_modules\/(bindings|node-gyp-build|node-pre-gyp|@mapbox\/node-pre-gyp|prebuild-install|ffi-napi)\//;

/** What this uses of esbuild, which may be missing: it is an optional package. */
interface Bundler {
  buildSync(options: BuildOptions & { write: false }): BuildResult<{ write: false; metafile: true }>;
  transformSync(source: string, options: TransformOptions): { code: string };
}

const bundled = new WeakMap<CodeTask, string>();

/**
 * The source of a code task: its function with what it imports and what it uses of its file, as one ES module. Throws
 * `code_not_portable` with every reason why it can't run elsewhere.
 */
export function bundleCode(task: CodeTask): string {
  const known = bundled.get(task);
  if (known !== undefined) return known;
  const esbuild = loadBundler(task.name);
  const { text, node } = sourceOfFunction(task.name, task.run);
  const free = freeNames(node, { task: true });
  const { statements, folder, faults } = aroundOf(task, { esbuild, text, names: free.names });
  const schemas = [task.inputs, task.outputs].map((schema) =>
    schema === undefined ? { json: undefined } : portableSchema(schema),
  );
  const unfit = schemas.flatMap((one) => ('fault' in one ? [`a schema of it is code (${one.fault})`] : []));
  const all = [...free.faults, ...faults, ...unfit];
  if (all.length > 0) throw notPortable(task.name, all);
  const [takes, gives] = schemas.map((one) => ('json' in one ? one.json : undefined));
  const contents = [...statements, helpersOf(free.names), entryOf(text, takes, gives)].join('\n');
  const source = escapeExpressions(bundle(task.name, esbuild, { contents, folder }));
  bundled.set(task, source);
  return source;
}

function loadBundler(name: string): Bundler {
  // Resolved from the SDK itself, then from the program that uses it.
  for (const base of [__filename, join(process.cwd(), 'package.json')]) {
    try {
      const loaded: unknown = createRequire(base)('esbuild');
      if (isBundler(loaded)) return loaded;
    } catch {
      // Not there; perhaps at the next place.
    }
  }
  throw new LatticeError(
    'code_not_portable',
    `the function of "${name}" is bundled with esbuild, which is not installed: npm install esbuild`,
  );
}

function isBundler(loaded: unknown): loaded is Bundler {
  return typeof loaded === 'object' && loaded !== null && 'buildSync' in loaded && 'transformSync' in loaded;
}

/** What the function needs of the file it stands in. */
function aroundOf(
  { from }: CodeTask,
  { esbuild, text, names }: { esbuild: Bundler; text: string; names: ReadonlySet<string> },
): { statements: string[]; folder: string; faults: string[] } {
  if (from === undefined) {
    const outside = [...names].filter((name) => !isGlobal(name) && !HELPERS.has(name));
    const faults = outside.map(
      (one) =>
        `it uses \`${one}\` from around it: if that is an import or a constant of the file, say \`from: import.meta.url\`; else pass its value by the inputs`,
    );
    return { statements: [], folder: process.cwd(), faults };
  }
  const file = from.startsWith('file:') ? fileURLToPath(from) : from;
  const loader = LOADERS[extname(file)] ?? 'js';
  const plain = esbuild.transformSync(readFileSync(file, 'utf8'), {
    loader,
    target: 'esnext',
    // Imports stay as they are written: which of them are needed is found out here.
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  }).code;
  const used = [...names].filter((name) => !HELPERS.has(name));
  const needed = neededOf(parseModule(plain), plain, { names: used, text });
  return { ...needed, folder: dirname(file) };
}

const LOADERS: Readonly<Record<string, Loader>> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
  '.jsx': 'jsx',
};

/** What compilers put into functions, and its meaning. */
const HELPERS = new Map([['__name', 'const __name = (fn) => fn;']]);

function helpersOf(names: ReadonlySet<string>): string {
  return [...HELPERS].flatMap(([name, text]) => (names.has(name) ? [text] : [])).join('\n');
}

/** The module that a worker runs: checks the input, calls the function, checks what it gives. */
function entryOf(text: string, takes: object | undefined, gives: object | undefined): string {
  const check = (schema: object | undefined, value: string, code: string): string =>
    schema === undefined ? value : `__latticeFit(${JSON.stringify(schema)}, ${value}, ${JSON.stringify(code)})`;
  const fit = `const __latticeCheck = ${checkValue.toString()};
function __latticeFit(schema, given, code) {
  const { value, faults } = __latticeCheck(schema, given);
  if (faults.length === 0) return value;
  throw Object.assign(new Error(faults.join('; ')), { code, retryable: false });
}`;
  return `${takes === undefined && gives === undefined ? '' : fit}
const __latticeRun = ${text};
export default async (input) => {
  const given = await __latticeRun(${check(takes, 'input', 'task_input_invalid')});
  return ${check(gives, 'given', 'task_output_invalid')};
};`;
}

function bundle(name: string, esbuild: Bundler, { contents, folder }: { contents: string; folder: string }): string {
  try {
    const { outputFiles, metafile } = esbuild.buildSync({
      stdin: { contents, resolveDir: folder, sourcefile: `${name}.js`, loader: 'js' },
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      legalComments: 'none',
      logLevel: 'silent',
    });
    const native = Object.keys(metafile.inputs).find((path) => NATIVE.test(path));
    if (native !== undefined) throw notPortable(name, [`it imports a native module (by ${native})`]);
    const text = outputFiles[0]?.text ?? '';
    const source = text.includes('__require(') || /\brequire\(/.test(text) ? `${REQUIRE}${text}` : text;
    if (Buffer.byteLength(source) <= MAX_BYTES) return source;
    throw notPortable(name, [
      `with what it imports it has ${Buffer.byteLength(source)} bytes; the limit is ${MAX_BYTES}`,
    ]);
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    throw notPortable(name, error.errors.map(faultOf));
  }
}

/** Modules of the CommonJS kind ask for those of Node with a function that ES modules do not have. */
const REQUIRE = `import { createRequire as __latticeRequire } from 'node:module';
const require = __latticeRequire(import.meta.url);
`;

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

function faultOf({ text, location }: BuildFailure['errors'][number]): string {
  if (text.includes('for ".node" files')) return `it imports a native module (${location?.lineText.trim() ?? text})`;
  return location === null ? text : `${text} (${location.file}:${location.line})`;
}
