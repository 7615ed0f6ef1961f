import type { Printer } from '../progress/printer';
import type { Context } from '../register';
import { colorsOf, print } from '../terminal';
import { shortPath } from '../connection';

/** The short lines about the platform itself, above a live table if there is one. */
export interface Reporter {
  /** A step of the start, with the seconds since it began. */
  step(text: string): void;
  say(text: string): void;
  /** A part of the platform has ended by itself. */
  alarm(text: string, logFile: string): void;
  /** From now on lines go through the printer; undefined: no more. */
  above(printer: Printer | undefined): void;
}

/** With --json stdout is for the document alone. */
export function newReporter({ terminal, globals }: Context): Reporter {
  const output = globals.json ? terminal.err : terminal.out;
  const colors = colorsOf(output, terminal.env);
  const began = performance.now();
  let printer: Printer | undefined;
  const write = (text: string): void => (printer ? printer.note(text) : print(output, text));
  return {
    step(text) {
      const seconds = ((performance.now() - began) / 1_000).toFixed(1);
      write(`${colors.dim(`${seconds.padStart(5)} s`)}  ${text}`);
    },
    say: (text) => write(text),
    alarm(text, logFile) {
      write(`${colors.red('✖')} ${text.trimEnd()}\n${colors.dim(`  its log: ${shortPath(logFile, terminal.cwd)}`)}`);
    },
    above(next) {
      printer = next;
    },
  };
}
