import fc from 'fast-check';
import { ANSWER, AUDIT_ARCHITECTURE, BPF, encode, filterOf, type Instruction } from './filter';
import { ENOSYS, EPERM, policyOf, verdictsOf, type Test } from './policy';
import { ARCHITECTURES, LAST_KNOWN, SYSCALLS, type Architecture } from './syscalls';

interface Call {
  architecture: number;
  number: number;
  arguments: number[];
}

/** What the kernel does with a filter. */
function run(program: readonly Instruction[], call: Call): number {
  const word = (offset: number): number => {
    if (offset === 0) return call.number;
    if (offset === 4) return call.architecture;
    return call.arguments[(offset - 16) / 8] ?? 0;
  };
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const one = program[at];
    if (one === undefined) throw new Error('ran past the end');
    switch (one.code) {
      case BPF.load:
        accumulator = word(one.operand);
        break;
      case BPF.and:
        accumulator = (accumulator & one.operand) >>> 0;
        break;
      case BPF.jump:
        at += one.operand;
        break;
      case BPF.ifEqual:
        at += accumulator === one.operand ? one.whenTrue : one.whenFalse;
        break;
      case BPF.ifAtLeast:
        at += accumulator >= one.operand ? one.whenTrue : one.whenFalse;
        break;
      case BPF.answer:
        return one.operand >>> 0;
      default:
        throw new Error(`no such operation: ${one.code}`);
    }
  }
}

const holds = (test: Test, values: readonly number[]): boolean => {
  const value = ((values[test.argument] ?? 0) & (test.mask ?? 0xffffffff)) >>> 0;
  return (value === test.equals) !== (test.not === true);
};

const errno = (number: number): number => (ANSWER.errno | number) >>> 0;
const named = (name: string, architecture: Architecture): number => {
  const number = Object.values(SYSCALLS)
    .flat()
    .find((call) => call.name === name)?.numbers[architecture];
  if (number === undefined) throw new Error(`${name} is not in the tables`);
  return number;
};

describe.each(ARCHITECTURES)('the filter of %s', (architecture) => {
  const here = AUDIT_ARCHITECTURE[architecture];
  const interesting = fc.oneof(
    fc.nat(0xffffffff),
    fc.constantFrom(0, 1, 2, 3, 6, 10, 16, 17, 0x5412, 0x10000000, 0x80000 + 1, 0x80000 + 3, 0x20000, 0xffffffff),
  );

  it.each([true, false])('does what the policy says (memory counted by the kernel: %s)', (countedByKernel) => {
    const policy = policyOf({ countedByKernel });
    const program = filterOf(policy, architecture);
    const verdicts = verdictsOf(policy, architecture);
    const expected = (number: number, values: number[]): number => {
      const verdict = verdicts[number] ?? { errno: ENOSYS };
      if (verdict === 'allow') return ANSWER.allow;
      if ('errno' in verdict) return errno(verdict.errno);
      const allowed = verdict.alternatives.some((tests) => tests.every((test) => holds(test, values)));
      return allowed ? ANSWER.allow : errno(EPERM);
    };
    const checked = policy.checked.map(({ call }) => call.numbers[architecture] ?? 0);
    const numbers = fc.oneof(fc.nat(LAST_KNOWN + 20), fc.constantFrom(...checked));
    fc.assert(
      fc.property(numbers, fc.array(interesting, { minLength: 3, maxLength: 6 }), (number, values) => {
        expect(run(program, { architecture: here, number, arguments: values })).toBe(expected(number, values));
      }),
      { numRuns: 3_000 },
    );
  });

  it('kills what makes calls of another machine', () => {
    const program = filterOf(policyOf({ countedByKernel: false }), architecture);
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.nat(600), (other, number) => {
        fc.pre(other !== here);
        expect(run(program, { architecture: other, number, arguments: [] })).toBe(ANSWER.kill);
      }),
    );
  });

  it('refuses what tasks must not do, and allows what they need', () => {
    const program = filterOf(policyOf({ countedByKernel: false }), architecture);
    const call = (name: string, ...values: number[]): number =>
      run(program, { architecture: here, number: named(name, architecture), arguments: values });
    expect(call('clone', 0x01200011)).toBe(ANSWER.allow);
    expect(call('clone', 0x10000000 | 17)).toBe(errno(EPERM));
    expect(call('clone3')).toBe(errno(ENOSYS));
    expect(call('socket', 2, 0x80801, 6)).toBe(ANSWER.allow);
    expect(call('socket', 2, 3, 1)).toBe(errno(EPERM));
    expect(call('socket', 17, 3, 0)).toBe(errno(EPERM));
    expect(call('socket', 16, 3, 0)).toBe(ANSWER.allow);
    expect(call('socket', 40, 1, 0)).toBe(errno(EPERM));
    expect(call('socketpair', 1, 1, 0)).toBe(ANSWER.allow);
    expect(call('socketpair', 30, 5, 0)).toBe(errno(EPERM));
    for (const name of ['memfd_create', 'shmget', 'semget', 'msgget']) expect(call(name)).toBe(errno(ENOSYS));
    expect(call('ioctl', 0, 0x5412)).toBe(errno(EPERM));
  });

  it('has no table with one number twice', () => {
    const numbers = Object.values(SYSCALLS)
      .flat()
      .flatMap((call) => call.numbers[architecture] ?? []);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(Math.max(...numbers)).toBeLessThanOrEqual(LAST_KNOWN);
  });

  it('fits into the kernel, with jumps that end inside it', () => {
    const program = filterOf(policyOf({ countedByKernel: true }), architecture);
    expect(program.length).toBeLessThan(4_096);
    expect(encode(program)).toHaveLength(program.length * 8);
    expect(program.every(({ whenTrue, whenFalse }) => whenTrue <= 255 && whenFalse <= 255)).toBe(true);
  });
});

it('kills calls of the x32 kind', () => {
  const program = filterOf(policyOf({ countedByKernel: false }), 'x86_64');
  const call = { architecture: AUDIT_ARCHITECTURE.x86_64, number: 0x40000000 | 1, arguments: [] };
  expect(run(program, call)).toBe(ANSWER.kill);
});
