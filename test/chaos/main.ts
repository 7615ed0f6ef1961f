/** `npm run chaos`: runs the scenarios one after the other and prints a table. Arguments: --only NAME, --runs N, --seed N. */
import { parseArgs } from 'node:util';
import { killRestarted } from '../support/services';
import { killAllApps } from './app';
import { randomFrom, type Scenario } from './scenario';
import { scenarios } from './scenarios';
import { rowOf, tableOf, type Row } from './table';

const RUNS = 2_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { only: { type: 'string', multiple: true }, runs: { type: 'string' }, seed: { type: 'string' } },
  });
  const runs = numberOf('runs', values.runs) ?? RUNS;
  const seed = numberOf('seed', values.seed) ?? Math.floor(Math.random() * 1e9);
  const chosen = values.only === undefined ? scenarios : values.only.flatMap(named);
  say(`seed ${seed}`);
  const rows: Row[] = [];
  for (const scenario of chosen) rows.push(await runOne(scenario, runs, seed));
  process.stdout.write(`\n${tableOf(rows)}\n`);
  return rows.every(({ result }) => result === 'ok') ? 0 : 1;
}

async function runOne(scenario: Scenario, runs: number, seed: number): Promise<Row> {
  const from = performance.now();
  const tell = (line: string): void => say(`${scenario.name}: ${line}`);
  tell(scenario.breaks);
  const report = await scenario.run({ runs, random: randomFrom(seed), say: tell }).catch((error: unknown) => ({
    runs: 0,
    kills: 0,
    attempts: 0,
    seconds: 0,
    reasons: new Map<string, number>(),
    longestRecovery: undefined,
    faults: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
  }));
  for (const fault of report.faults.slice(0, 30)) tell(`FAULT ${fault}`);
  if (report.faults.length > 30) tell(`and ${report.faults.length - 30} more`);
  const row = rowOf(scenario, report, performance.now() - from);
  tell(`${row.result} after ${row.time}`);
  return row;
}

function named(name: string): Scenario[] {
  const found = scenarios.filter((scenario) => scenario.name === name);
  if (found.length === 0)
    fail(`there is no scenario "${name}"; there are ${scenarios.map((one) => one.name).join(', ')}`);
  return found;
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) fail(`--${name} has to be a number from 1 to 999999999, not "${text}"`);
  return Number(text);
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

function say(line: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    killAllApps();
    killRestarted();
    process.exit(130);
  });
}
main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
