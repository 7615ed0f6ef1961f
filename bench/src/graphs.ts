/** Documents of the benchmarks, and the same graphs as BullMQ flows where those can say them. */

interface Task {
  readonly uses: string;
  readonly needs?: readonly string[];
}

export interface Document {
  readonly name: string;
  readonly fuse?: boolean;
  readonly tasks: Record<string, Task>;
}

const USES = 'handler/noop';

function document(
  name: string,
  tasks: (readonly [string, readonly string[]])[],
  more: { fuse?: boolean } = {},
): Document {
  const entries = tasks.map(
    ([key, needs]) => [key, needs.length === 0 ? { uses: USES } : { uses: USES, needs }] as const,
  );
  return { name, ...more, tasks: Object.fromEntries(entries) };
}

/** One task. */
export function single(): Document {
  return document('bench-single', [['only', []]]);
}

/** t0 <- t1 <- ... */
export function chain(length: number, fuse: boolean): Document {
  const tasks = range(length).map((at) => [`t${at}`, at === 0 ? [] : [`t${at - 1}`]] as const);
  return document(fuse ? 'bench-chain' : 'bench-chain-apart', tasks, { fuse });
}

/** One, two beside each other, one. */
export function diamond(): Document {
  return document('bench-diamond', [
    ['top', []],
    ['left', ['top']],
    ['right', ['top']],
    ['bottom', ['left', 'right']],
  ]);
}

/** One, `width` beside each other, one. */
export function fan(width: number): Document {
  const middle = range(width).map((at) => `m${at}`);
  return document('bench-fan', [['first', []], ...middle.map((key) => [key, ['first']] as const), ['last', middle]]);
}

/** Layers of `width` tasks; each needs two of the layer before, so that no two share a native parent. */
export function layered(layers: number, width: number): Document {
  const key = (layer: number, at: number): string => `l${layer}_${at % width}`;
  const tasks = range(layers).flatMap((layer) =>
    range(width).map(
      (at) => [key(layer, at), layer === 0 ? [] : [key(layer - 1, at), key(layer - 1, at + 1)]] as const,
    ),
  );
  return document('bench-layered', tasks);
}

export function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}
