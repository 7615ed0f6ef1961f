import { ENOSYS, EPERM, verdictsOf, type Policy, type Test, type Verdict } from './policy';
import { LAST_KNOWN, type Architecture } from './syscalls';

/** One instruction of classic BPF, 8 bytes: operation, how many to skip when true and when false, operand. */
export interface Instruction {
  code: number;
  whenTrue: number;
  whenFalse: number;
  operand: number;
}

/** Operations: load a word of the call's data, and, jump, compare, answer. From linux/bpf_common.h. */
export const BPF = { load: 0x20, and: 0x54, jump: 0x05, ifEqual: 0x15, ifAtLeast: 0x35, answer: 0x06 } as const;

/** Answers of a filter, from linux/seccomp.h. */
export const ANSWER = { allow: 0x7fff0000, errno: 0x00050000, kill: 0x80000000 } as const;

/** AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64. */
export const AUDIT_ARCHITECTURE: Readonly<Record<Architecture, number>> = { x86_64: 0xc000003e, aarch64: 0xc00000b7 };

const NUMBER_OFFSET = 0;
const ARCHITECTURE_OFFSET = 4;
/** Where the lower half of an argument is; both machines are little-endian. */
const ARGUMENTS_OFFSET = 16;
const ARGUMENT_BYTES = 8;
/** Calls of the x32 kind: the numbers of x86_64 with this bit. */
const X32_BIT = 0x40000000;
const INSTRUCTION_BYTES = 8;
/** A conditional jump goes no further. */
const MAX_SKIP = 255;

/**
 * The filter that bubblewrap installs: the machine is checked first (the same number means another call on another machine, and
 * a process of x86_64 may make calls of i386), then the number is looked up in a tree.
 */
export function filterOf(policy: Policy, architecture: Architecture): Instruction[] {
  const verdicts = verdictsOf(policy, architecture);
  return [
    load(ARCHITECTURE_OFFSET),
    when(BPF.ifEqual, AUDIT_ARCHITECTURE[architecture], 1, 0),
    answer(ANSWER.kill),
    load(NUMBER_OFFSET),
    ...(architecture === 'x86_64' ? [when(BPF.ifAtLeast, X32_BIT, 0, 1), answer(ANSWER.kill)] : []),
    ...tree([...rangesOf(verdicts), { from: LAST_KNOWN + 1, verdict: { errno: ENOSYS } }]),
  ];
}

/** As the kernel takes it: an array of struct sock_filter. */
export function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * INSTRUCTION_BYTES);
  program.forEach(({ code, whenTrue, whenFalse, operand }, index) => {
    const at = index * INSTRUCTION_BYTES;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(whenTrue, at + 2);
    bytes.writeUInt8(whenFalse, at + 3);
    bytes.writeUInt32LE(operand, at + 4);
  });
  return bytes;
}

interface Range {
  /** The first number; it ends where the next range begins. */
  from: number;
  verdict: Verdict;
}

/** Neighbours of one verdict together. */
function rangesOf(verdicts: readonly Verdict[]): Range[] {
  const ranges: Range[] = [];
  verdicts.forEach((verdict, from) => {
    const last = ranges.at(-1);
    if (last === undefined || !same(last.verdict, verdict)) ranges.push({ from, verdict });
  });
  return ranges;
}

function same(a: Verdict, b: Verdict): boolean {
  if (a === b) return true;
  return typeof a === 'object' && typeof b === 'object' && 'errno' in a && 'errno' in b && a.errno === b.errno;
}

function tree(ranges: readonly Range[]): Instruction[] {
  const [first] = ranges;
  if (first === undefined) return [answer(ANSWER.kill)];
  if (ranges.length === 1) return leaf(first.verdict);
  const middle = ranges.length >> 1;
  const below = tree(ranges.slice(0, middle));
  const above = tree(ranges.slice(middle));
  const pivot = ranges[middle]?.from ?? 0;
  const branch =
    below.length <= MAX_SKIP
      ? [when(BPF.ifAtLeast, pivot, below.length, 0)]
      : [when(BPF.ifAtLeast, pivot, 0, 1), { code: BPF.jump, whenTrue: 0, whenFalse: 0, operand: below.length }];
  return [...branch, ...below, ...above];
}

function leaf(verdict: Verdict): Instruction[] {
  if (verdict === 'allow') return [answer(ANSWER.allow)];
  if ('errno' in verdict) return [answer(ANSWER.errno | verdict.errno)];
  const refuse = [answer(ANSWER.errno | EPERM)];
  return [...verdict.alternatives].reverse().reduce((rest, tests) => [...alternative(tests), ...rest], refuse);
}

/** Answers `allow` when all tests hold; else goes on after itself. */
function alternative(tests: readonly Test[]): Instruction[] {
  let code = [answer(ANSWER.allow)];
  for (const test of [...tests].reverse()) {
    const past = code.length;
    const compare =
      test.not === true ? when(BPF.ifEqual, test.equals, past, 0) : when(BPF.ifEqual, test.equals, 0, past);
    const mask = test.mask === undefined ? [] : [{ code: BPF.and, whenTrue: 0, whenFalse: 0, operand: test.mask }];
    code = [load(ARGUMENTS_OFFSET + test.argument * ARGUMENT_BYTES), ...mask, compare, ...code];
  }
  return code;
}

function load(offset: number): Instruction {
  return { code: BPF.load, whenTrue: 0, whenFalse: 0, operand: offset };
}

function when(code: number, operand: number, whenTrue: number, whenFalse: number): Instruction {
  return { code, whenTrue, whenFalse, operand };
}

function answer(value: number): Instruction {
  return { code: BPF.answer, whenTrue: 0, whenFalse: 0, operand: value };
}
