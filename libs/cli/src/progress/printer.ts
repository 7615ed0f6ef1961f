import type { RunEvent } from '@lattice/contracts';
import { colorsOf, isLive, print, type Env, type Output } from '../terminal';
import { renderFrame } from './frame';
import { renderEvent, renderLog } from './lines';
import { SPINNER_MS } from './marks';
import { dataOf, type RunState } from './run-state';

/** Shows a run while it goes on. */
export interface Printer {
  /** After each event, when the state has taken it. */
  event(event: RunEvent, state: RunState): void;
  /** Something else to say meanwhile. */
  note(text: string): void;
  /** Before anything else is written; what was shown stays. */
  end(): void;
}

export interface PrinterOptions {
  output: Output;
  env: Env;
  /** Hides the logs of tasks. */
  quiet: boolean;
  /** Said below the live table. */
  hint?: string | undefined;
}

/** A live table on a terminal, else a line per event. */
export async function newPrinter(options: PrinterOptions): Promise<Printer> {
  return isLive(options.output, options.env) ? await livePrinter(options) : linePrinter(options);
}

export function silentPrinter(note: (text: string) => void): Printer {
  return { event: () => undefined, note, end: () => undefined };
}

export function linePrinter({ output, env, quiet }: PrinterOptions): Printer {
  const colors = colorsOf(output, env);
  return {
    event(event, state) {
      const said = dataOf(event);
      if (said?.type !== 'task.log') return renderEvent(event, state, colors).forEach((line) => print(output, line));
      if (!quiet) renderLog(nameOf(event, state), said.data.text, colors).forEach((line) => print(output, line));
    },
    note: (text) => print(output, text),
    end: () => undefined,
  };
}

function nameOf({ taskKey }: RunEvent, state: RunState): string {
  return state.tasks.get(taskKey ?? '')?.name ?? '';
}

async function livePrinter({ output, env, quiet, hint }: PrinterOptions): Promise<Printer> {
  const { createLogUpdate } = await import('log-update');
  const colors = colorsOf(output, env);
  const redraw = createLogUpdate(output);
  let state: RunState | undefined;
  let above: string[] = [];
  const draw = (live: boolean): void => {
    if (above.length > 0) {
      redraw.clear();
      print(output, above.join('\n'));
      above = [];
    }
    if (state === undefined) return;
    const { columns = 80, rows = 24 } = output;
    redraw(renderFrame(state, { columns, rows, now: Date.now(), colors, hint: live ? hint : undefined }));
  };
  // Redrawn by the clock, not by the event: a thousand events a second must not flicker.
  const timer = setInterval(() => draw(true), SPINNER_MS);
  return {
    event(event, now) {
      state = now;
      const said = dataOf(event);
      if (said?.type === 'task.log' && !quiet) above.push(...renderLog(nameOf(event, now), said.data.text, colors));
    },
    note(text) {
      above.push(text);
      draw(true);
    },
    end() {
      clearInterval(timer);
      draw(false);
      redraw.done();
    },
  };
}
