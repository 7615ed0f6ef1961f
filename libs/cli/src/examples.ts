import type { Command } from 'commander';

const RUN = '01a1fe2c-06d1-72db-a36c-0275f6b212ef';

/** Examples for the help, by command. The first line of each is what is wanted most; all are checked to be understood. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  up: ['lattice up', 'lattice up --run workflow.yaml --exit'],
  run: ['lattice run workflow.yaml --input who=world --tag nightly', 'lattice run etl --inputs @inputs.json --detach'],
  script: [
    "lattice script ./scripts --jobs 4 --timeout 60s --filter 'db-*' --allow-exit 0,3",
    'lattice script ./scripts --dry-run',
  ],
  validate: ['lattice validate workflow.yaml'],
  explain: ['lattice explain workflow.yaml'],
  import: ['lattice import wfformat montage.json --body sleep --scale 0.01 --out montage.yaml'],
  'runs list': ['lattice runs list --status failed --since 24h', 'lattice runs list --schedule nightly --limit 5'],
  'runs get': [`lattice runs get ${RUN}`],
  'runs logs': [`lattice runs logs ${RUN} train --search "out of memory"`, `lattice runs logs ${RUN} --follow`],
  'runs watch': [`lattice runs watch ${RUN}`],
  'runs cancel': [`lattice runs cancel ${RUN}`],
  'runs pause': [`lattice runs pause ${RUN}`],
  'runs resume': [`lattice runs resume ${RUN}`],
  'runs retry': [`lattice runs retry ${RUN}`],
  'runs signal': [`lattice runs signal ${RUN} paid --payload '{"amount":12}'`],
  'runs approve': [`lattice runs approve ${RUN} publish --comment "looks good"`],
  'runs reject': [`lattice runs reject ${RUN} publish --comment "not yet"`],
  'runs rerun': [`lattice runs rerun ${RUN} train`, `lattice runs rerun ${RUN} train --alone`],
  'runs fork': [`lattice runs fork ${RUN} --from train --input epochs=20`],
  'runs artifacts': [`lattice runs artifacts ${RUN} --download ./results`],
  'runs report': [`lattice runs report ${RUN} > report.md`],
  workers: ['lattice workers'],
  'workers cordon': ['lattice workers cordon worker-1'],
  'workers uncordon': ['lattice workers uncordon worker-1'],
  'workers drain': ['lattice workers drain worker-1 --exit --timeout 10m'],
  'workflows list': ['lattice workflows list'],
  'workflows get': ['lattice workflows get etl > etl.yaml'],
  'workflows save': ['lattice workflows save etl.yaml'],
  'cache clear': ['lattice cache clear --workflow etl --task fetch'],
  'schedules list': ['lattice schedules list'],
  'schedules get': ['lattice schedules get nightly'],
  'schedules create': [
    'lattice schedules create nightly etl.yaml --cron "0 3 * * *" --timezone Europe/Berlin',
    'lattice schedules create poll etl --every 5m --overlap skip',
  ],
  'schedules pause': ['lattice schedules pause nightly'],
  'schedules resume': ['lattice schedules resume nightly'],
  'schedules trigger': ['lattice schedules trigger nightly'],
  'schedules delete': ['lattice schedules delete nightly'],
  'schedules next': ['lattice schedules next nightly -n 3', 'lattice schedules next --cron "0 9 * * 1-5"'],
  'secrets set': ['lattice secrets set DB_PASSWORD --from-file password.txt'],
  'secrets list': ['lattice secrets list'],
  'secrets delete': ['lattice secrets delete DB_PASSWORD'],
  'secrets rotate': ['lattice secrets rotate'],
  'secrets new-key': ['lattice secrets new-key'],
  'keys list': ['lattice keys list'],
  'keys create': ['lattice keys create dashboard --scope viewer'],
  'keys revoke': ['lattice keys revoke ccee63b3-6f6b-4623-89cb-188269a30d28'],
  mcp: ['lattice mcp --read-only', 'lattice mcp --workflows'],
  completion: [
    'source <(lattice completion bash)    # in ~/.bashrc',
    'source <(lattice completion zsh)     # in ~/.zshrc',
    'lattice completion fish | source     # in ~/.config/fish/config.fish',
  ],
};

/** Puts the examples below the help of their commands. */
export function addExamples(program: Command): void {
  for (const { command, path } of commandsOf(program)) {
    const examples = EXAMPLES[path];
    if (examples === undefined) continue;
    const title = examples.length > 1 ? 'Examples' : 'Example';
    command.addHelpText('after', `\n${title}:\n${examples.map((line) => `  ${line}`).join('\n')}`);
  }
}

/** All commands that do something, with their paths such as `runs list`. */
export function commandsOf(program: Command): { command: Command; path: string }[] {
  const walk = (command: Command, path: string): { command: Command; path: string }[] => {
    const below = command.commands.flatMap((one) => walk(one, `${path} ${one.name()}`.trim()));
    // `workers` lists them, and has commands of its own.
    const does = command !== program && (command.commands.length === 0 || command.name() === 'workers');
    return does ? [{ command, path }, ...below] : below;
  };
  return walk(program, '');
}
