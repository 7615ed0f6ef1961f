import { policyOf, type Checked, type Test } from '../seccomp/policy';

interface Rule {
  names: string[];
  action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  errnoRet?: number;
  args?: { index: number; value: number; valueTwo: number; op: 'SCMP_CMP_MASKED_EQ' }[];
}

const ENOSYS = 38;
const WHOLE = 0xffffffff;

/**
 * The policy of sandboxes as the engine reads it (`--security-opt seccomp=`), in the place of the engine's own profile, which
 * allows ptrace, io_uring and more. Calls above the tables get EPERM: the format has no word for "newer".
 */
export function seccompProfile(): string {
  const policy = policyOf({ countedByKernel: true });
  const rules: Rule[] = [
    { names: policy.allowed.map(({ name }) => name), action: 'SCMP_ACT_ALLOW' },
    { names: policy.unknown.map(({ name }) => name), action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
    ...policy.checked.flatMap(rulesOf),
  ];
  return JSON.stringify({
    defaultAction: 'SCMP_ACT_ERRNO',
    archMap: [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: [] },
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: [] },
    ],
    syscalls: rules,
  });
}

/** One rule for each alternative. A test for inequality can't be joined with another one of the same argument, so those are left out. */
function rulesOf({ call, alternatives }: Checked): Rule[] {
  return alternatives.map((tests) => {
    const args = tests.filter((test) => test.not !== true).map(argumentOf);
    return { names: [call.name], action: 'SCMP_ACT_ALLOW', ...(args.length === 0 ? {} : { args }) };
  });
}

function argumentOf({ argument, mask, equals }: Test): NonNullable<Rule['args']>[number] {
  // Only the lower half of an argument counts, so a mask stands where the policy has none.
  return { index: argument, value: mask ?? WHOLE, valueTwo: equals, op: 'SCMP_CMP_MASKED_EQ' };
}
