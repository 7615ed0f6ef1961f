import { SYSCALLS, LAST_KNOWN, type Architecture, type Syscall } from './syscalls';

export const EPERM = 1;
export const ENOSYS = 38;

/** A test of the lower half of an argument: (argument & mask) is, or with `not` is not, `equals`. */
export interface Test {
  argument: number;
  mask?: number;
  equals: number;
  not?: true;
}

/** Allowed when all tests of one of the alternatives hold, else refused with EPERM. */
export interface Checked {
  call: Syscall;
  alternatives: readonly (readonly Test[])[];
}

/** What a task may ask of the kernel. What is not named is refused with EPERM, what is newer than the tables with ENOSYS. */
export interface Policy {
  allowed: readonly Syscall[];
  checked: readonly Checked[];
  /** Refused with ENOSYS. */
  unknown: readonly Syscall[];
}

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET: new namespaces open more of the kernel. */
const CLONE_NEW = 0x7e020000;
const [TIOCSTI, TIOCLINUX] = [0x5412, 0x541c];
const [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK] = [1, 2, 10, 16];
const SOCKET_TYPE = 0xf;
const [SOCK_STREAM, SOCK_DGRAM] = [1, 2];
const [IPPROTO_ANY, IPPROTO_TCP, IPPROTO_UDP, NETLINK_ROUTE] = [0, 6, 17, 0];
/** The usual one, its 32-bit look, the same without address randomisation, and the question for the current one. */
const PERSONALITIES = [0, 0x0008, 0x20000, 0x20008, 0xffffffff];

/**
 * The policy of all sandboxed tasks. `countedByKernel`: a cgroup holds the memory of the task, so memory that belongs to no
 * process may be allowed.
 */
export function policyOf({ countedByKernel }: { countedByKernel: boolean }): Policy {
  return {
    allowed: countedByKernel ? [...SYSCALLS.common, ...SYSCALLS.detachedMemory] : SYSCALLS.common,
    checked: SYSCALLS.checked.map((call) => ({ call, alternatives: alternativesOf(call.name) })),
    unknown: countedByKernel ? SYSCALLS.unknown : [...SYSCALLS.unknown, ...SYSCALLS.detachedMemory],
  };
}

export type Verdict = 'allow' | { errno: number } | Checked;

/** The verdict on each call of a machine up to {@link LAST_KNOWN}, by its number. */
export function verdictsOf(policy: Policy, architecture: Architecture): Verdict[] {
  const verdicts: Verdict[] = Array.from({ length: LAST_KNOWN + 1 }, () => ({ errno: EPERM }));
  const set = (call: Syscall, verdict: Verdict): void => {
    const number = call.numbers[architecture];
    if (number !== undefined) verdicts[number] = verdict;
  };
  for (const call of policy.allowed) set(call, 'allow');
  for (const call of policy.unknown) set(call, { errno: ENOSYS });
  for (const checked of policy.checked) set(checked.call, checked);
  return verdicts;
}

function alternativesOf(name: string): readonly (readonly Test[])[] {
  switch (name) {
    case 'clone':
      return [[{ argument: 0, mask: CLONE_NEW, equals: 0 }]];
    case 'ioctl':
      // They put words into the terminal of someone else.
      return [
        [
          { argument: 1, equals: TIOCSTI, not: true },
          { argument: 1, equals: TIOCLINUX, not: true },
        ],
      ];
    case 'personality':
      return PERSONALITIES.map((equals) => [{ argument: 0, equals }]);
    case 'socket':
      return sockets();
    case 'socketpair':
      return [[{ argument: 0, equals: AF_UNIX }]];
    default:
      return [];
  }
}

/** Local sockets, TCP and UDP, and the question for addresses that resolvers ask; nothing raw, no rare protocol. */
function sockets(): Test[][] {
  const internet = [AF_INET, AF_INET6].flatMap((family) =>
    [SOCK_STREAM, SOCK_DGRAM].flatMap((type) =>
      [IPPROTO_ANY, IPPROTO_TCP, IPPROTO_UDP].map((protocol) => [
        { argument: 0, equals: family },
        { argument: 1, mask: SOCKET_TYPE, equals: type },
        { argument: 2, equals: protocol },
      ]),
    ),
  );
  const netlink = [
    { argument: 0, equals: AF_NETLINK },
    { argument: 2, equals: NETLINK_ROUTE },
  ];
  return [[{ argument: 0, equals: AF_UNIX }], netlink, ...internet];
}
