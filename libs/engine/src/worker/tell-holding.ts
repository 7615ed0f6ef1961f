import { LatticeError } from '@lattice/contracts';
import type { Holding } from '@lattice/executor';
import type { Runtime } from '../runtime';

/**
 * Says once, at the start of a worker, who holds code in processes to its limits. Throws `sandbox_failed` where it must be the kernel
 * (LATTICE_CONTROL_GROUPS=required) and can't be.
 */
export function tellHolding({ settings, log }: Pick<Runtime, 'settings' | 'log'>, holding: Holding): void {
  if (!('reason' in holding)) {
    log.info(holding, 'the kernel holds tasks in processes to their limits, by control groups');
    return;
  }
  const { reason } = holding;
  if (settings.worker.controlGroups === 'required') {
    throw new LatticeError(
      'sandbox_failed',
      `LATTICE_CONTROL_GROUPS is "required", and this worker may not make control groups: ${reason}. ` +
        'Delegate=yes of a systemd service lets it; "auto" measures what tasks use instead',
    );
  }
  log.info({ reason }, 'what tasks in processes use is measured: this worker makes no control groups');
}
