import { createHash } from 'node:crypto';
import { Transform, pipeline, type Readable } from 'node:stream';
import { LatticeError } from '@lattice/contracts';
import type { Stored } from './store';

/** What passes through, with its size and hash at the end; it breaks off with `artifacts_too_large` above the limit. */
export function measured(
  body: Readable,
  limitBytes: number,
): { readonly stream: Readable; readonly stored: () => Stored } {
  const hash = createHash('sha256');
  let size = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > limitBytes) {
        done(
          new LatticeError('artifacts_too_large', `an artifact has more than the ${limitBytes} bytes that are left`),
        );
        return;
      }
      hash.update(chunk);
      done(null, chunk);
    },
  });
  // An error of either end is seen by whoever reads the meter.
  pipeline(body, meter, () => undefined);
  return { stream: meter, stored: () => ({ size, sha256: hash.digest('hex') }) };
}
