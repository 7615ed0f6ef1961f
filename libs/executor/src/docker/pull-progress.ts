import { z } from 'zod';

/** A line of what the engine says while it pulls. */
const lineSchema = z.object({
  status: z.string().optional(),
  id: z.string().optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).optional(),
  error: z.string().optional(),
  errorDetail: z.object({ message: z.string().optional() }).optional(),
});
export type PullLine = z.infer<typeof lineSchema>;

/** How far a pull has come. */
export interface PullProgress {
  /** 0 to 99: of the bytes that are known of, or of the layers. */
  readonly percent: number;
  readonly text: string;
}

interface Layer {
  current: number;
  total: number | undefined;
  done: boolean;
}

const MEGABYTE = 1_000_000;

/** The object of a line; undefined for what is none. */
export function readPullLine(line: string): PullLine | undefined {
  try {
    const parsed = lineSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Adds up what the engine says of single layers. */
export class PullTally {
  private readonly layers = new Map<string, Layer>();

  /** True when the line told of a layer. */
  add({ status = '', id, progressDetail }: PullLine): boolean {
    // The first line has the tag in the place of a layer.
    if (id === undefined || /^Pulling from /.test(status)) return false;
    const layer = this.layers.get(id) ?? { current: 0, total: undefined, done: false };
    this.layers.set(id, layer);
    switch (status) {
      case 'Downloading':
        layer.current = progressDetail?.current ?? layer.current;
        layer.total = progressDetail?.total ?? layer.total;
        break;
      case 'Download complete':
      case 'Verifying Checksum':
        layer.current = layer.total ?? layer.current;
        break;
      case 'Pull complete':
      case 'Already exists':
        layer.current = layer.total ?? layer.current;
        layer.done = true;
        break;
    }
    return true;
  }

  get progress(): PullProgress {
    const all = [...this.layers.values()];
    const done = all.filter((layer) => layer.done).length;
    const current = all.reduce((sum, layer) => sum + layer.current, 0);
    const total = all.reduce((sum, layer) => sum + Math.max(layer.total ?? 0, layer.current), 0);
    const share = total > 0 ? current / total : done / Math.max(1, all.length);
    const layers = `pulling ${done} of ${all.length} ${all.length === 1 ? 'layer' : 'layers'}`;
    return {
      percent: Math.min(99, Math.floor(share * 100)),
      text: total > 0 ? `${layers}, ${megabytes(current)} of ${megabytes(total)} MB` : layers,
    };
  }
}

function megabytes(bytes: number): string {
  const value = bytes / MEGABYTE;
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}
