/** JSON Schema as the documentation uses it: what zod writes of our schemas. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
}

export type Schemas = Readonly<Record<string, Schema>>;

/** What the check and the generator know; a word of another meaning must not pass unseen. */
const KNOWN = new Set([
  ...['$ref', 'type', 'enum', 'const', 'anyOf', 'properties', 'required', 'additionalProperties', 'propertyNames'],
  ...['items', 'minItems', 'maxItems', 'minLength', 'maxLength', 'pattern', 'minimum', 'maximum', 'exclusiveMinimum'],
  ...['description', 'default', 'examples', 'format'],
]);

/** The schema itself, or the one that it refers to. */
export function resolve(schema: Schema, schemas: Schemas): Schema {
  const unknown = Object.keys(schema).find((word) => !KNOWN.has(word));
  if (unknown !== undefined) throw new Error(`the test does not know the word "${unknown}" of JSON Schema`);
  if (schema.$ref === undefined) return schema;
  const target = schemas[schema.$ref.replace('#/components/schemas/', '')];
  if (target === undefined) throw new Error(`${schema.$ref} is not in the document`);
  return resolve(target, schemas);
}

interface At {
  readonly schemas: Schemas;
  readonly path: string;
}

/**
 * What is wrong with a value, as `path: words`. Stricter than JSON Schema: a member of an object that its schema does not name is
 * a fault unless additional ones are allowed in so many words, for a client could not know of it.
 */
export function misfits(value: unknown, given: Schema, at: At): string[] {
  const schema = resolve(given, at.schemas);
  if (schema.anyOf !== undefined) {
    const tried = schema.anyOf.map((branch) => misfits(value, branch, at));
    if (tried.some((faults) => faults.length === 0)) return [];
    return [`${at.path}: fits no branch (${tried.flat().join('; ')})`];
  }
  const types = typeof schema.type === 'string' ? [schema.type] : schema.type;
  if (types?.some((type) => isOfType(value, type)) === false)
    return [`${at.path}: ${JSON.stringify(value)?.slice(0, 60)} is not ${types.join(' or ')}`];
  if (schema.enum?.includes(value) === false) return [`${at.path}: ${String(value)} is none of the values named`];
  if ('const' in schema && schema.const !== value) return [`${at.path}: ${String(value)} is not the constant`];
  if (typeof value === 'string') return textMisfits(value, schema, at.path);
  if (typeof value === 'number') return numberMisfits(value, schema, at.path);
  if (Array.isArray(value)) return listMisfits(value, schema, at);
  if (typeof value === 'object' && value !== null) return objectMisfits(value, schema, at);
  return [];
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function textMisfits(value: string, { minLength = 0, maxLength = Infinity, pattern }: Schema, path: string): string[] {
  const length = [...value].length;
  if (length < minLength || length > maxLength) return [`${path}: a text of ${length}`];
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) return [`${path}: does not match ${pattern}`];
  return [];
}

function numberMisfits(value: number, schema: Schema, path: string): string[] {
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity } = schema;
  return value < minimum || value > maximum || value <= exclusiveMinimum ? [`${path}: ${value} is out of range`] : [];
}

function listMisfits(value: readonly unknown[], schema: Schema, { schemas, path }: At): string[] {
  const { minItems = 0, maxItems = Infinity, items = {} } = schema;
  if (value.length < minItems || value.length > maxItems) return [`${path}: ${value.length} items`];
  return value.flatMap((item, index) => misfits(item, items, { schemas, path: `${path}/${index}` }));
}

function objectMisfits(value: object, schema: Schema, { schemas, path }: At): string[] {
  const missing = (schema.required ?? []).filter((name) => !Object.hasOwn(value, name));
  const rest = schema.additionalProperties ?? schema.properties === undefined;
  const members = Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
    const at = { schemas, path: `${path}/${name}` };
    const own = schema.properties !== undefined && Object.hasOwn(schema.properties, name);
    const named = own ? schema.properties[name] : undefined;
    if (named !== undefined) return misfits(member, named, at);
    if (rest === false) return [`${at.path}: is not documented`];
    const ofName = schema.propertyNames === undefined ? [] : misfits(name, schema.propertyNames, at);
    return [...ofName, ...(rest === true ? [] : misfits(member, rest, at))];
  });
  return [...missing.map((name) => `${path}/${name}: is missing`), ...members];
}
