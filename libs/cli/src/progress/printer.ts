import type { RunEvent } from '@lattice/contracts';
import { colorsOf, isLive, print, type Env, type Output } from '../terminal';
import { renderFrame } from './frame';
import { renderEvent, renderLog } from './lines';
import { newLiveRegion, type Frame } from './live-region';
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
export function newPrinter(options: PrinterOptions): Printer {
  return isLive(options.output, options.env) ? livePrinter(options) : linePrinter(options);
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

function livePrinter({ output, env, quiet, hint }: PrinterOptions): Printer {
  const colors = colorsOf(output, env);
  const region = newLiveRegion(output);
  let state: RunState | undefined;
  let above: string[] = [];
  const frame =
    (live: boolean): Frame =>
    (size) =>
      state === undefined
        ? []
        : renderFrame(state, { ...size, now: Date.now(), colors, hint: live ? hint : undefined });
  const draw = (): void => {
    region.draw(frame(true), above);
    above = [];
  };
  // Redrawn by the clock, not by the event: a thousand events a second must not flicker.
  const timer = setInterval(draw, SPINNER_MS);
  return {
    event(event, now) {
      state = now;
      const said = dataOf(event);
      if (said?.type === 'task.log' && !quiet) above.push(...renderLog(nameOf(event, now), said.data.text, colors));
    },
    note(text) {
      above.push(text);
      draw();
    },
    end() {
      clearInterval(timer);
      draw();
      region.end(frame(false));
    },
  };
}
