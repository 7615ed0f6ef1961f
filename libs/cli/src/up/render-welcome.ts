import type { Colors } from '../terminal';

export interface Welcome {
  url: string;
  adminKeyFile: string;
  logs: string;
  /** The file of --run. */
  example: string | undefined;
  command: string;
  colors: Colors;
}

/** What is said when the platform serves: where everything is, and what to type next. */
export function renderWelcome({ url, adminKeyFile, logs, example, command, colors }: Welcome): string {
  const facts: [string, string][] = [
    ['API', colors.cyan(url)],
    ['docs', colors.cyan(`${url}/docs`)],
    ['queues', colors.cyan(`${url}/admin/queues`)],
    ['key', adminKeyFile],
    ['logs', logs],
    ['run', `${command} run ${example ?? 'FILE'}`],
  ];
  return [
    colors.bold(`Lattice is running at ${url}`),
    ...facts.map(([title, value]) => `  ${colors.dim(title.padEnd(7))} ${value}`),
    colors.dim('Ctrl-C stops it.'),
  ].join('\n');
}
