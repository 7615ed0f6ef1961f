/**
 * Documents of all shapes, always the same ones: what the compiler makes of them tells whether plans have changed, also where no
 * golden file looks.
 */
const COUNT = 300;

/** Numbers that look random and are the same on every machine (mulberry32). */
function numbers(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export function* corpus() {
  for (let seed = 1; seed <= COUNT; seed += 1) yield documentOf(numbers(seed));
}

function documentOf(next) {
  const count = 1 + next(14);
  const tasks = {};
  for (let at = 0; at < count; at += 1) tasks[`t${at}`] = taskOf(next, at);
  return {
    name: 'corpus',
    inputs: { go: { type: 'boolean', default: true } },
    tasks,
    ...(next(4) === 0 ? { onFailure: 'continue' } : {}),
    ...(next(4) === 0 ? { fuse: false } : {}),
  };
}

function taskOf(next, at) {
  const most = Math.min(at, 3);
  const needs = new Set();
  for (let count = next(most + 1); count > 0; count -= 1) needs.add(`t${at - 1 - next(Math.min(at, 5))}`);
  const maybe = (odds, field) => (next(odds) === 0 ? field : {});
  return {
    ...usesOf(next),
    needs: [...needs],
    ...maybe(9, { if: '${{ inputs.go == true }}' }),
    ...maybe(9, { trigger: ['all-done', 'one-success', 'none-failed'][next(3)] }),
    ...maybe(9, { priority: next(5) }),
  };
}

function usesOf(next) {
  switch (next(8)) {
    case 0:
      return { uses: 'transform', with: { value: 1 } };
    case 1:
      return {
        uses: 'code',
        with: { language: 'javascript', source: 'export default () => 1' },
        resources: [{ cpu: 1 }, { cpu: 1.5 }, { cpu: 2, memory: '60.5Gi', gpuMemory: '23Gi' }][next(3)],
      };
    case 2:
      return { uses: 'handler/many', with: {}, batch: { size: 4 } };
    default:
      return { uses: 'handler/one', with: {} };
  }
}
