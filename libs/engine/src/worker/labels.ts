import { LABEL_OPERATORS, type LabelRule } from '@lattice/contracts';

export type LabelValue = string | number | boolean;
export type Labels = Readonly<Record<string, LabelValue>>;

/** True when labels meet all rules. A label that is not there meets only `!=`. Numbers compare as numbers, else as text. */
export function meetsRules(rules: Readonly<Record<string, LabelRule>>, labels: Labels): boolean {
  return Object.entries(rules).every(([name, rule]) =>
    meets(rule, Object.hasOwn(labels, name) ? labels[name] : undefined),
  );
}

function meets(rule: LabelRule, value: LabelValue | undefined): boolean {
  if (typeof rule !== 'object') return value !== undefined && same(value, rule);
  return LABEL_OPERATORS.every((operator) => {
    const asked = rule[operator];
    if (asked === undefined) return true;
    if (Array.isArray(asked)) return value !== undefined && asked.some((one) => same(value, one));
    return compare(operator, value, asked);
  });
}

function compare(
  operator: (typeof LABEL_OPERATORS)[number],
  value: LabelValue | undefined,
  asked: LabelValue,
): boolean {
  if (operator === '!=') return value === undefined || !same(value, asked);
  if (value === undefined) return false;
  if (operator === '=' || operator === 'in') return same(value, asked);
  const [a, b] = [Number(value), Number(asked)];
  const order = Number.isNaN(a) || Number.isNaN(b) ? String(value).localeCompare(String(asked)) : a - b;
  switch (operator) {
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
  }
}

/** `16` and `"16"` are the same: labels come from environment variables. */
function same(a: LabelValue, b: LabelValue): boolean {
  return a === b || String(a) === String(b);
}
