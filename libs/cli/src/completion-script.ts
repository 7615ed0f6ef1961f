import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type ShellName = (typeof SHELLS)[number];

/** What may follow a path of commands such as `lattice runs`: other commands, or the values that its first argument may have. */
export interface Words {
  path: string;
  commands: { name: string; summary: string }[];
  options: string[];
  /** What may follow options that take one of a few values. */
  values: { option: string; choices: readonly string[] }[];
  /** The command takes a file or folder as argument. */
  files: boolean;
}

/** The words of a command and of all below it; global options are added to each. */
export function wordsOf(program: Command): Words[] {
  const globals = longOptions(program);
  const walk = (command: Command, path: string): Words[] => {
    const below = command.commands;
    const own = command === program ? [] : longOptions(command);
    const choices = command.registeredArguments[0]?.argChoices ?? [];
    const words: Words = {
      path,
      commands: [
        ...below.map((one) => ({ name: one.name(), summary: one.summary() || one.description() })),
        ...choices.map((name) => ({ name, summary: '' })),
      ],
      options: [...own, ...globals, '--help'],
      values: command.options.flatMap(({ long, argChoices }) =>
        long && argChoices ? [{ option: long, choices: argChoices }] : [],
      ),
      files: command.registeredArguments.some((argument) => /^(file|folder)/.test(argument.name())),
    };
    return [words, ...below.flatMap((one) => walk(one, `${path} ${one.name()}`))];
  };
  return walk(program, 'lattice');
}

function longOptions(command: Command): string[] {
  return command.options.flatMap(({ long }) => (long ? [long] : []));
}

export function completionScript(shell: ShellName, words: readonly Words[]): string {
  switch (shell) {
    case 'bash':
      return bash(words);
    case 'zsh':
      // zsh runs the functions of bash, for which its own completion has to be there.
      return `(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\nautoload -U +X bashcompinit && bashcompinit\n${bash(words)}`;
    case 'fish':
      return fish(words);
  }
}

function bash(words: readonly Words[]): string {
  const cases = words.map(({ path, commands, options, files }) => {
    const first = commands.map(({ name }) => name).join(' ');
    return `    ${quote(path)}) words=${quote(first)}; options=${quote(options.join(' '))}; files=${files ? 1 : 0} ;;`;
  });
  const values = words.flatMap(({ path, values: of }) =>
    of.map(({ option, choices }) => `  ${quote(`${path} ${option}`)}) words=${quote(choices.join(' '))} ;;`),
  );
  const paths = words.map(({ path }) => quote(path)).join('|');
  return `_lattice() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path=lattice words= options= files=0 i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
    ${paths}) path="$path \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  case "$path \${COMP_WORDS[COMP_CWORD-1]}" in
${values.join('\n')}
  *) path= ;;
  esac
  if [[ -n $path ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [[ $files == 1 ]]; then COMPREPLY+=($(compgen -f -- "$current")); fi
  fi
}
complete -o filenames -F _lattice lattice
`;
}

function fish(words: readonly Words[]): string {
  const lines = words.flatMap(({ path, commands, options, values, files }) => {
    const condition = conditionOf(path, words);
    const start = `complete -c lattice -n ${quote(condition)}`;
    return [
      ...(files ? [] : [`${start} -f`]),
      ...commands.map(({ name, summary }) => `${start} -a ${name} -d ${quote(summary)}`),
      ...options.map((option) => {
        const choices = values.find((one) => one.option === option)?.choices;
        const given = choices === undefined ? '' : ` -x -a ${quote(choices.join(' '))}`;
        return `${start} -l ${option.replace(/^--/, '')}${given}`;
      }),
    ];
  });
  return lines.join('\n');
}

/** fish knows which words were typed, not their order; two levels need no more. */
function conditionOf(path: string, words: readonly Words[]): string {
  const [, ...typed] = path.split(' ');
  const seen = typed.map((word) => `__fish_seen_subcommand_from ${word}`);
  const below = words.find((one) => one.path === path)?.commands.map(({ name }) => name) ?? [];
  const conditions = below.length > 0 ? [...seen, `not __fish_seen_subcommand_from ${below.join(' ')}`] : seen;
  return conditions.join('; and ') || 'true';
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
