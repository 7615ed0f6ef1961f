import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compile, readDocument, tasksOf } from '@lattice/flow';
import { importWfFormat } from '../index';

/** Recorded runs of real workflows (WfCommons WfInstances, LGPL-3.0); they are not part of this repository. */
const folder = join(__dirname, '..', '..', '..', '..', '..', 'shared', 'data', 'wfinstances');
const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.json')) : [];

interface Instance {
  workflow: {
    specification: { tasks: { id: string; parents: string[]; children: string[] }[] };
    execution: { tasks: { id: string; runtimeInSeconds: number; command?: { program: string } }[] };
  };
}

if (files.length === 0) {
  it.skip(`recorded workflows: skipped, for there is no ${folder}`, () => undefined);
} else {
  describe.each(files)('%s', (name) => {
    const value = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Instance;
    const { specification, execution } = value.workflow;
    const result = importWfFormat(value, { body: 'sleep', scale: 0.001 });
    if (!result.ok) throw new Error(JSON.stringify(result.faults));
    const keyOf = (id: string): string => result.keys[id] ?? id;

    it('gives the tasks and edges of the file', () => {
      const edges = new Set(
        specification.tasks.flatMap(({ id, parents, children }) => [
          ...parents.map((parent) => `${keyOf(parent)} -> ${keyOf(id)}`),
          ...children.map((child) => `${keyOf(id)} -> ${keyOf(child)}`),
        ]),
      );
      const found = Object.entries(result.workflow.tasks).flatMap(([key, { needs }]) =>
        [needs ?? []].flat().map((need) => `${need} -> ${key}`),
      );
      expect(found.sort()).toEqual([...edges].sort());
      expect(Object.keys(result.workflow.tasks)).toEqual(specification.tasks.map(({ id }) => keyOf(id)));
    });

    it('gives the recorded times and commands', () => {
      for (const { id, runtimeInSeconds, command } of execution.tasks) {
        expect(result.workflow.tasks[keyOf(id)]).toMatchObject({
          with: { input: Math.round(runtimeInSeconds) },
          metadata: { runtimeInSeconds, ...(command === undefined ? {} : { command }) },
        });
      }
    });

    it('compiles', () => {
      const read = readDocument(result.workflow);
      if (!read.ok) throw new Error(JSON.stringify(read.faults));
      const plan = compile(read.workflow);
      expect(plan.segments.flatMap(({ job }) => [...tasksOf(job)])).toHaveLength(specification.tasks.length);
    });

    it('comes without notes that nobody expects', () => {
      const expected =
        /^(The recorded programs|Data files|Kept as metadata|\d+ machines? |\d+ tasks? (is|are) renamed)/;
      expect(result.notes.filter((note) => !expected.test(note))).toEqual([]);
    });
  });
}
