import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { common, dockerAnswers, errorOf, newFolder, outputOf } from '../../test/support';
import { createExecutors, type Executors } from '../executors';
import type { ContainerMount, Outcome } from '../port';
import { mountsOf } from './mounts';

let data: string;
let open: string;

beforeEach(() => {
  data = newFolder();
  open = path.join(data, 'open');
  mkdirSync(path.join(open, 'in'), { recursive: true });
  writeFileSync(path.join(open, 'in', 'file'), 'given');
  writeFileSync(path.join(data, 'closed'), 'not given');
});
afterEach(() => rmSync(data, { recursive: true }));

const asking = (source: string, readOnly = true) => {
  const mounts: ContainerMount[] = [{ source, target: '/data', readOnly }];
  return { ...common(), uses: 'container' as const, container: { image: 'lattice/node', env: {}, mounts } };
};

it('of what a worker may give containers, wherever links lead', async () => {
  symlinkSync(path.join(open, 'in'), path.join(data, 'link'));
  expect(await mountsOf(asking(path.join(data, 'link')), [{ folder: open, writable: false }])).toEqual([
    { Type: 'bind', Source: path.join(open, 'in'), Target: '/data', ReadOnly: true },
  ]);
  expect(await mountsOf(asking(open, false), [{ folder: open, writable: true }])).toMatchObject([
    { Source: open, ReadOnly: false },
  ]);
  // The folder that may be given may itself be a link.
  symlinkSync(open, path.join(data, 'shared'));
  expect(
    await mountsOf(asking(path.join(open, 'in')), [{ folder: path.join(data, 'shared'), writable: false }]),
  ).toHaveLength(1);
});

it('for reading, unless the folder may be written to', async () => {
  const source = path.join(open, 'in');
  const inner = { folder: source, writable: true };
  await expect(mountsOf(asking(source, false), [{ folder: open, writable: false }])).rejects.toThrow(`=${source}:rw`);
  expect(await mountsOf(asking(source, false), [{ folder: open, writable: false }, inner])).toHaveLength(1);
});

it.each([
  ['beside it', 'closed'],
  ['whose name goes on', 'open-too'],
  ['above it', '.'],
  ['that a link leads to', 'open/out'],
  ['that is not there', 'open/nothing'],
])('and nothing %s', async (_, name) => {
  mkdirSync(path.join(data, 'open-too'));
  symlinkSync(path.join(data, 'closed'), path.join(open, 'out'));
  const source = path.join(data, name);
  await expect(mountsOf(asking(source), [{ folder: open, writable: false }])).rejects.toMatchObject({
    error: { code: 'sandbox_failed', retryable: false, details: { mount: source } },
  });
  await expect(mountsOf(asking(source), [])).rejects.toThrow('LATTICE_MOUNTS');
});

(dockerAnswers() ? describe : describe.skip)('a container with a mount', () => {
  let executors: Executors;
  let workRoot: string;

  beforeEach(() => {
    workRoot = newFolder();
    executors = createExecutors({
      workerId: `mounts-${process.pid}`,
      workRoot,
      docker: { mountable: [{ folder: open, writable: true }] },
    });
  });
  afterEach(async () => {
    await executors.close();
    rmSync(workRoot, { recursive: true });
  });

  async function run(source: string, readOnly: boolean): Promise<Outcome> {
    const script = `const fs = require('fs'); let wrote = true;
      try { fs.writeFileSync('/data/made', 'by the task') } catch { wrote = false }
      fs.writeFileSync(process.env.LATTICE_OUTPUT, JSON.stringify({ read: fs.readFileSync('/data/file', 'utf8'), wrote }))`;
    const asked = asking(source, readOnly);
    const container = { ...asked.container, command: ['node', '-e', script] };
    return executors
      .forTask('container')
      .submit({ ...asked, container })
      .result();
  }

  it('reads it, and writes it only if it asks to', async () => {
    const folder = path.join(open, 'in');
    // Whoever the task runs as.
    chmodSync(folder, 0o777);
    expect(outputOf(await run(folder, true))).toEqual({ read: 'given', wrote: false });
    expect(outputOf(await run(folder, false))).toEqual({ read: 'given', wrote: true });
    expect(readFileSync(path.join(folder, 'made'), 'utf8')).toBe('by the task');
  });

  it('does not begin without it', async () => {
    expect(errorOf(await run(path.join(data, 'closed'), true)).code).toBe('sandbox_failed');
  });
});
