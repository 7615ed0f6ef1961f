import { z } from 'zod';

/** What is too long to be shown, and the call that reads it: nothing is left out without a word. */
export const cutSchema = z
  .array(
    z.object({
      at: z.string().describe('JSON pointer into this result: null, or the begin of a text, stands there.'),
      characters: z.int().describe('Length of the whole, a value as JSON.'),
      begin: z.string().optional().describe('How the JSON of the value begins.'),
      read: z
        .object({ tool: z.string(), arguments: z.record(z.string(), z.unknown()) })
        .describe('The call that gives the whole.'),
    }),
  )
  .describe('What was too long to be shown here; empty when all is there.');

export type Cut = z.input<typeof cutSchema>[number];

/** Where a value is, and how the whole of it is read. */
interface Place {
  readonly at: string;
  readonly read: Cut['read'];
  /** Characters that are shown. */
  readonly most: number;
}

const BEGIN = 300;

/** Collects what was cut while a result is put together. */
export class Cuts {
  readonly list: Cut[] = [];

  /** The value, or null when its JSON is longer than may be shown. */
  value(value: unknown, { at, read, most }: Place): unknown {
    const text = JSON.stringify(value) ?? 'null';
    if (text.length <= most) return value;
    this.list.push({ at, characters: text.length, begin: text.slice(0, BEGIN), read });
    return null;
  }

  /** The text, or its begin. */
  text(text: string, { at, read, most }: Place): string {
    if (text.length <= most) return text;
    this.list.push({ at, characters: text.length, read });
    return text.slice(0, most);
  }
}
