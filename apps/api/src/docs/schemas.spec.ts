import { componentSchemas } from './schemas';

const components = Object.entries(componentSchemas());

it('has no property with a default: some generators of clients take it for one that has to be sent', () => {
  const withDefault = components.flatMap(([name, schema]) =>
    propertiesWithDefault(schema).map((at) => `${name} ${at}`),
  );
  expect(withDefault).toEqual([]);
});

it('has no schema that is itself or a list of itself: some generators make a type of it that does not compile', () => {
  const circular = components.filter(
    ([name, schema]) => 'anyOf' in schema && JSON.stringify(schema.anyOf).includes(`/${name}"`),
  );
  expect(circular.map(([name]) => name)).toEqual([]);
});

it('names each schema that others refer to', () => {
  const references = [...JSON.stringify(components).matchAll(/"#\/components\/schemas\/([^"]*)"/g)];
  const names = new Set(components.map(([name]) => name));
  expect(references.length).toBeGreaterThan(10);
  expect(references.filter(([, name = '']) => !names.has(name))).toEqual([]);
});

/** Places of `default` as a word of JSON Schema, not as the name of a property. */
function propertiesWithDefault(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([word, member]: [string, unknown]) => {
    if (word === 'examples') return [];
    if (word === 'properties') {
      return Object.entries(Object(member)).flatMap(([name, each]) => propertiesWithDefault(each, `${path}/${name}`));
    }
    return word === 'default' ? [path] : propertiesWithDefault(member, path);
  });
}
