/**
 * Checks a value against a JSON schema as zod writes them, and fills in defaults; gives what is wrong, with places. It travels with code
 * tasks as its own source text: it may use nothing from around it.
 */
// eslint-disable-next-line max-lines-per-function -- it travels as one text, so its parts can't stand beside it
export function checkValue(root: object, given: unknown): { value: unknown; faults: string[] } {
  type Schema = Record<string, unknown>;
  const isRecord = (value: unknown): value is Schema =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  const typeOf = (value: unknown): string => {
    if (value === null) return 'null';
    if (Array.isArray(value)) return 'array';
    return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
  };
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const resolve = (schema: Schema): Schema => {
    const ref = schema['$ref'];
    if (typeof ref !== 'string') return schema;
    let found: unknown = root;
    for (const part of ref.split('/').slice(1)) found = isRecord(found) ? found[part] : undefined;
    return isRecord(found) ? found : {};
  };
  const limits = (schema: Schema, value: unknown, at: string): string[] => {
    const size =
      typeof value === 'string' || Array.isArray(value) ? value.length : typeof value === 'number' ? value : NaN;
    const low = schema['minimum'] ?? schema['minLength'] ?? schema['minItems'];
    const high = schema['maximum'] ?? schema['maxLength'] ?? schema['maxItems'];
    const { exclusiveMinimum: above, exclusiveMaximum: below, multipleOf: step, pattern } = schema;
    const what = typeof value === 'number' ? 'must be' : 'must have a length of';
    return [
      ...(typeof low === 'number' && size < low ? [`${at}: ${what} at least ${low}`] : []),
      ...(typeof high === 'number' && size > high ? [`${at}: ${what} at most ${high}`] : []),
      ...(typeof above === 'number' && size <= above ? [`${at}: must be above ${above}`] : []),
      ...(typeof below === 'number' && size >= below ? [`${at}: must be below ${below}`] : []),
      ...(typeof step === 'number' &&
      typeof value === 'number' &&
      Math.abs(value / step - Math.round(value / step)) > 1e-9
        ? [`${at}: must be a multiple of ${step}`]
        : []),
      ...(typeof pattern === 'string' && typeof value === 'string' && !new RegExp(pattern, 'u').test(value)
        ? [`${at}: does not match ${pattern}`]
        : []),
    ];
  };
  const members = (schema: Schema, value: Schema, at: string, faults: string[]): Schema => {
    const properties = isRecord(schema['properties']) ? schema['properties'] : {};
    const { additionalProperties: more } = schema;
    const made: Schema = {};
    const put = (name: string, item: unknown): void => {
      Object.defineProperty(made, name, { value: item, enumerable: true, writable: true, configurable: true });
    };
    for (const [name, item] of Object.entries(value)) {
      const own = Object.hasOwn(properties, name) ? properties[name] : more;
      if (own === false) faults.push(`${at}: unknown field "${name}"`);
      put(name, isRecord(own) ? check(own, item, `${at}.${name}`, faults) : item);
    }
    for (const [name, own] of Object.entries(properties)) {
      if (Object.hasOwn(value, name)) continue;
      if (isRecord(own) && 'default' in own) put(name, own['default']);
      else if (listOf(schema['required']).includes(name)) faults.push(`${at}: missing field "${name}"`);
    }
    return made;
  };
  const check = (written: Schema, value: unknown, at: string, faults: string[]): unknown => {
    const schema = resolve(written);
    const options = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])].filter(isRecord);
    if (options.length > 0) {
      const tries = options.map((option) => {
        const own: string[] = [];
        return { value: check(option, value, at, own), own };
      });
      const fit = tries.find(({ own }) => own.length === 0);
      if (fit !== undefined) return fit.value;
      faults.push(...(tries.sort((a, b) => a.own.length - b.own.length)[0]?.own ?? []));
      return value;
    }
    const types = typeof schema['type'] === 'string' ? [schema['type']] : listOf(schema['type']);
    const type = typeOf(value);
    if (types.length > 0 && !types.includes(type) && !(type === 'integer' && types.includes('number'))) {
      faults.push(`${at}: expected ${types.join(' or ')}, got ${type}`);
      return value;
    }
    if ('const' in schema && !same(schema['const'], value))
      faults.push(`${at}: must be ${JSON.stringify(schema['const'])}`);
    const among = schema['enum'];
    if (Array.isArray(among) && !among.some((one) => same(one, value)))
      faults.push(`${at}: must be one of ${JSON.stringify(among)}`);
    faults.push(...limits(schema, value, at));
    let made = value;
    if (Array.isArray(value)) {
      const [first, rest] = [listOf(schema['prefixItems']), schema['items']];
      made = value.map((item: unknown, index) => {
        const own = first[index] ?? rest;
        return isRecord(own) ? check(own, item, `${at}[${index}]`, faults) : item;
      });
    } else if (isRecord(value)) made = members(schema, value, at, faults);
    for (const part of listOf(schema['allOf'])) if (isRecord(part)) made = check(part, made, at, faults);
    return made;
  };
  const faults: string[] = [];
  return { value: isRecord(root) ? check(root, given, '$', faults) : given, faults };
}
