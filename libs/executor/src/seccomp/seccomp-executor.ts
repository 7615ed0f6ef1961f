import { taskError } from '@lattice/contracts';
import type { ControlGroups } from '../control-groups/control-groups';
import type { Executor, Outcome } from '../port';
import { createProcessExecutor } from '../subprocess/process-executor';
import type { Budget } from '../warm/budget';
import { createSeccompLauncher, type SeccompOptions } from './seccomp-launcher';

/** Bubblewrap reports the code of the task's end only after it has made the sandbox and run the task in it. */
const RAN = /"exit-code"\s*:/;

/** Level `seccomp`: code that sees its interpreter, libraries and own files, nothing else of the machine, and may ask little of the kernel. */
export function createSeccompExecutor(
  options: SeccompOptions & { groups: ControlGroups; warm: Budget; rooms: boolean },
): Executor {
  return createProcessExecutor({
    owner: options.owner,
    groups: options.groups,
    warm: options.warm,
    rooms: options.rooms,
    launcher: createSeccompLauncher(options),
    wrapperFault: (interpreter, stderrTail) => (RAN.test(interpreter.status()) ? undefined : sandboxFault(stderrTail)),
  });
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /creating new namespace failed|No permissions to creat|setting up uid map|user namespaces/i,
    'this user may not make user namespaces here: sudo sysctl -w kernel.unprivileged_userns_clone=1 (Debian), ' +
      'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), user.max_user_namespaces above 0 (all); ' +
      'in a container, run it with seccomp=unconfined or ask for docker',
  ],
  [/unknown option/i, 'bubblewrap 0.7 or newer is needed: sudo apt-get install bubblewrap'],
  [/prctl\(PR_SET_SECCOMP\)|seccomp/i, 'the filter of system calls could not be installed'],
];

/** What is wrong is of this machine and its settings, so another attempt here would fail as this one did. */
function sandboxFault(stderrTail: string): Outcome {
  const said = stderrTail.trim().slice(-1_000);
  const hint = HINTS.find(([words]) => words.test(said))?.[1];
  const reason = said === '' ? 'bubblewrap ended without a word' : said;
  const message = `the sandbox of level seccomp could not be made, and the task was not run: ${reason}`;
  return {
    status: 'failed',
    error: taskError('sandbox_failed', hint === undefined ? message : `${message}; ${hint}`),
  };
}
