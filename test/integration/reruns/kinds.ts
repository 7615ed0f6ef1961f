export const STATES = ['completed', 'failed', 'cancelled'] as const;
export type State = (typeof STATES)[number];

/** What a task of each kind is made of in these tests: a part of it obeys a file, so that it fails, is held up or passes as told. */
export interface Kind {
  readonly name: string;
  /** The task `work`, and others it needs beside; `tag` sets the ledger lines of one case apart. */
  readonly tasks: (tag: string, file: string) => Record<string, unknown>;
  /** What `work` gives to `last`, and the template that says so. */
  readonly gives: { readonly template: string; readonly value: unknown };
  /** The units that write to the ledger, by the way to them. */
  readonly noting: readonly string[];
  /** The unit that obeys. */
  readonly obeying: string;
  /** How its run may have ended; all when absent. */
  readonly states?: readonly State[];
  /** A workflow to be saved before. */
  readonly saved?: Record<string, unknown>;
}

const note = (task: string, value: unknown) => ({ run: '${{ run.id }}', task, value });

/** `pre` notes, `do` notes and obeys in one round: the way to each is made of its index. */
const rounds = (tag: string, file: string, special: number, value: string) => ({
  pre: { uses: 'handler/note', with: note(`\${{ '${tag}:work[' + string(each.index) + ']/pre' }}`, 1) },
  do: {
    uses: 'handler/obey',
    needs: 'pre',
    with: {
      ...note(`\${{ '${tag}:work[' + string(each.index) + ']/do' }}`, value),
      file: `\${{ each.index == ${special} ? '${file}' : '${file}-none' }}`,
    },
  },
});

const unitsOfRounds = (count: number) =>
  Array.from({ length: count }, (_, n) => [`work[${n}]/do`, `work[${n}]/pre`]).flat();

export const KINDS: readonly Kind[] = [
  {
    name: 'handler',
    tasks: (tag, file) => ({
      work: { uses: 'handler/obey', needs: 'first', with: { ...note(`${tag}:work`, 7), file } },
    }),
    gives: { template: '${{ tasks.work.output }}', value: 7 },
    noting: ['work'],
    obeying: 'work',
  },
  {
    name: 'map',
    tasks: (tag, file) => ({
      work: {
        uses: 'map',
        needs: 'first',
        with: {
          over: [10, 11, 12, 13, 14],
          concurrency: 2,
          tasks: rounds(tag, file, 3, '${{ each.item * 2 }}'),
          output: '${{ tasks.do.output }}',
        },
      },
    }),
    gives: { template: '${{ tasks.work.output }}', value: [20, 22, 24, 26, 28] },
    noting: unitsOfRounds(5),
    obeying: 'work[3]/do',
  },
  {
    name: 'map that bears failures',
    tasks: (tag, file) => ({
      work: {
        uses: 'map',
        needs: 'first',
        with: {
          over: [1, 2, 3],
          concurrency: 1,
          onFailure: 'continue',
          tasks: rounds(tag, file, 1, '${{ each.item }}'),
          output: '${{ tasks.do.output }}',
        },
      },
    }),
    gives: { template: '${{ tasks.work.output.map(o, o.output) }}', value: [1, 2, 3] },
    states: ['completed', 'cancelled'],
    noting: unitsOfRounds(3),
    obeying: 'work[1]/do',
  },
  {
    name: 'loop',
    tasks: (tag, file) => ({
      work: {
        uses: 'loop',
        needs: 'first',
        with: {
          initial: 1,
          while: '${{ each.index < 5 }}',
          tasks: rounds(tag, file, 3, '${{ each.last * 2 }}'),
          output: '${{ tasks.do.output }}',
        },
      },
    }),
    gives: { template: '${{ tasks.work.output }}', value: { rounds: 5, last: 32 } },
    noting: unitsOfRounds(5),
    obeying: 'work[3]/do',
  },
  {
    name: 'sub-workflow',
    saved: {
      name: 'inner',
      inputs: { tag: { type: 'string' }, file: { type: 'string' } },
      tasks: {
        pre: { uses: 'handler/note', with: note("${{ inputs.tag + ':work[0]/pre' }}", 1) },
        do: {
          uses: 'handler/obey',
          needs: 'pre',
          with: { ...note("${{ inputs.tag + ':work[0]/do' }}", 9), file: '${{ inputs.file }}' },
        },
        post: { uses: 'handler/note', needs: 'do', with: note("${{ inputs.tag + ':work[0]/post' }}", 1) },
      },
      outputs: { done: '${{ tasks.do.output }}' },
    },
    tasks: (tag, file) => ({ work: { uses: 'workflow/inner', needs: 'first', with: { tag, file } } }),
    gives: { template: '${{ tasks.work.output.done }}', value: 9 },
    noting: ['work[0]/do', 'work[0]/post', 'work[0]/pre'],
    obeying: 'work[0]/do',
  },
  {
    name: 'switch',
    tasks: (tag, file) => ({
      work: { uses: 'switch', needs: 'first', with: { on: 'go', cases: { go: 'arm' }, default: 'other' } },
      arm: { uses: 'handler/obey', with: { ...note(`${tag}:arm`, 4), file } },
      more: { uses: 'handler/note', needs: 'arm', with: note(`${tag}:more`, 5) },
      other: { uses: 'handler/note', with: note(`${tag}:other`, 6) },
      join: { uses: 'handler/note', needs: ['more', 'other'], with: note(`${tag}:join`, 8) },
    }),
    gives: { template: '${{ tasks.join.output }}', value: 8 },
    noting: ['arm', 'more', 'join'],
    obeying: 'arm',
  },
  {
    name: 'map in a loop in a map',
    tasks: (tag, file) => ({
      work: {
        uses: 'map',
        needs: 'first',
        with: {
          over: [0, 1],
          concurrency: 1,
          tasks: {
            turns: {
              uses: 'loop',
              with: {
                initial: '${{ each.item }}',
                while: '${{ each.index < 2 }}',
                tasks: {
                  items: {
                    uses: 'map',
                    with: {
                      over: ['${{ each.last }}', '${{ each.index }}'],
                      concurrency: 1,
                      do: {
                        uses: 'handler/obey',
                        with: {
                          ...note(
                            `\${{ '${tag}:' + string(each.item) + '/' + string(each.index) }}`,
                            '${{ each.item }}',
                          ),
                          file: `\${{ each.item == 1 && each.index == 1 ? '${file}' : '${file}-none' }}`,
                        },
                      },
                    },
                  },
                },
                output: '${{ tasks.items.output[0] + 10 }}',
              },
            },
          },
          output: '${{ tasks.turns.output.last }}',
        },
      },
    }),
    gives: { template: '${{ tasks.work.output }}', value: [20, 21] },
    noting: [],
    obeying: 'work[0]/turns[1]/items[1]/do',
  },
];
