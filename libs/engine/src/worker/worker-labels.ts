import type { LabelSetter } from '@lattice/executor';
import type { Labels, LabelValue } from './labels';

/** The labels of a worker: found, set by hand, and set by its handlers while it runs; later ones come before earlier ones. */
export class WorkerLabels implements LabelSetter {
  private readonly dynamic = new Map<string, LabelValue>();
  private cached: Labels | undefined;

  constructor(private readonly options: { found: () => Labels; given: Labels; changed: () => void }) {}

  get all(): Labels {
    this.cached ??= { ...this.options.found(), ...this.options.given, ...Object.fromEntries(this.dynamic) };
    return this.cached;
  }

  set(name: string, value: LabelValue): void {
    if (this.dynamic.get(name) === value) return;
    this.dynamic.set(name, value);
    this.refresh();
  }

  delete(name: string): void {
    if (this.dynamic.delete(name)) this.refresh();
  }

  /** What was found may be something else now. */
  refresh(): void {
    this.cached = undefined;
    this.options.changed();
  }
}
