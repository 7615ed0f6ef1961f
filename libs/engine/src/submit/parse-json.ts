import { LatticeError, endOfJsonText, fault, inexactNumber } from '@lattice/contracts';
import { MAX_DEPTH, notExact, parseDocumentText } from '@lattice/flow';

/** Levels of nesting a body may have: those of a document or of inputs, and what is around them. */
const BODY_DEPTH = MAX_DEPTH + 10;

const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * The value of a JSON body; throws `unparsable` with line and column. A key that comes twice is refused, with a fault of its own: the parser would
 * keep the last one, and a task would be lost without a word. So is a number that would become another one. The nesting is looked at BEFORE the text is parsed: what comes
 * after a parse (schemas, `JSON.stringify`) is recursive, and would overflow the stack.
 */
export function parseJsonBody(text: string): unknown {
  const found = scan(text);
  const value = found?.fatal === true ? undefined : parseDocumentText(text, 'json');
  if (found === undefined) {
    const number = inexactNumber(text);
    if (number !== undefined) throw notExact(number);
    return value;
  }
  const message = `${found.message} ${placeOf(text, found.at)}`;
  throw new LatticeError('unparsable', message, found.fatal ? {} : { faults: [fault('duplicate', '', message)] });
}

interface ScanFault {
  readonly message: string;
  readonly at: number;
  /** The text must not be parsed at all. */
  readonly fatal: boolean;
}

/** The first fault of nesting or of keys. A text that is no JSON at all may pass: the parser tells better what is wrong. */
function scan(text: string): ScanFault | undefined {
  /** Keys of the objects that are open, from the outermost; a list has none. */
  const open: (Set<string> | undefined)[] = [];
  let twice: ScanFault | undefined;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfJsonText(text, at);
        const keys = open.at(-1);
        if (keys !== undefined && twice === undefined && isKey(text, end)) {
          const key = keyOf(text.slice(at, end + 1));
          if (keys.has(key)) twice = { message: `Duplicate key ${JSON.stringify(key)} in JSON`, at, fatal: false };
          keys.add(key);
        }
        at = end;
        break;
      }
      case OPEN_LIST:
        open.push(undefined);
        break;
      case OPEN_OBJECT:
        open.push(new Set());
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        open.pop();
        break;
    }
    if (open.length > BODY_DEPTH) {
      return { message: `The body nests more than ${BODY_DEPTH} levels deep`, at, fatal: true };
    }
  }
  return twice;
}

/** True when a colon follows the string that ends at `end`. */
function isKey(text: string, end: number): boolean {
  for (let at = end + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === COLON) return true;
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return false;
  }
  return false;
}

/** A key may be written with escapes. */
function keyOf(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    const key: unknown = JSON.parse(quoted);
    return typeof key === 'string' ? key : quoted;
  } catch {
    return quoted;
  }
}

function placeOf(text: string, position: number): string {
  const before = text.slice(0, position);
  return `(line ${before.split('\n').length}, column ${position - before.lastIndexOf('\n')})`;
}
