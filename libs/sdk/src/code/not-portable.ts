import { LatticeError } from '@lattice/contracts';

/** The error of a function that can't run elsewhere, with every reason. */
export function notPortable(name: string, reasons: Iterable<string>): LatticeError {
  return new LatticeError('code_not_portable', `the function of "${name}" can not travel: ${[...reasons].join('; ')}`);
}
