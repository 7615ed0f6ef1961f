import type { Fault } from '@lattice/contracts';

/** Where in a text something is; both count from 1. */
export interface Place {
  line: number;
  column: number;
}

export interface LocatedFault extends Fault {
  file?: string | undefined;
  /** Absent when the text has no such place. */
  place?: Place | undefined;
  /** The line of the text. */
  excerpt?: string | undefined;
}

/** Loaded only when there is a fault to be found. */
const load = () => import('yaml');
type Yaml = Awaited<ReturnType<typeof load>>;

/** The faults with their places in a YAML or JSON text. A pointer to what is missing gives the place of what should hold it. */
export async function locateFaults(faults: readonly Fault[], text: string): Promise<LocatedFault[]> {
  const yaml = await load();
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, logLevel: 'silent' });
  const rows = text.split('\n');
  return faults.map((fault) => {
    const offset = offsetOf(yaml, document.contents, segmentsOf(fault.pointer));
    if (offset === undefined) return fault;
    const { line, col } = lines.linePos(offset);
    return { ...fault, place: { line, column: col }, excerpt: rows[line - 1]?.trimEnd() };
  });
}

function segmentsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function offsetOf(yaml: Yaml, root: unknown, segments: readonly string[]): number | undefined {
  let node = root;
  let offset = startOf(yaml, root);
  for (const segment of segments) {
    const step = stepInto(yaml, node, segment);
    if (step === undefined) break;
    offset = step.offset ?? offset;
    node = step.node;
  }
  return offset;
}

interface Step {
  node: unknown;
  offset: number | undefined;
}

/** The key of a map, where a reader looks first; the item of a list. */
function stepInto(yaml: Yaml, node: unknown, segment: string): Step | undefined {
  if (yaml.isMap(node)) {
    const pair = node.items.find((item) => yaml.isScalar(item.key) && String(item.key.value) === segment);
    return pair && { node: pair.value, offset: startOf(yaml, pair.key) };
  }
  if (yaml.isSeq(node)) {
    const item = node.items[Number(segment)];
    return item === undefined ? undefined : { node: item, offset: startOf(yaml, item) };
  }
  return undefined;
}

function startOf(yaml: Yaml, node: unknown): number | undefined {
  return yaml.isNode(node) ? node.range?.[0] : undefined;
}
