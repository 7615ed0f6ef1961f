import fc, { type Arbitrary } from 'fast-check';
import type { Schemas } from './json-schema';
import type { Operation, Parameter } from './operations';
import { broken, strangeTexts, strangeValues, valuesOf } from './values';

/** A request as it goes over the wire. */
export interface WireRequest {
  readonly method: string;
  /** With the query, encoded. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** Values that name something there is, by the name of the parameter; documents and files that are whole, by the media type. */
export interface Known {
  readonly parameters: Readonly<Record<string, readonly string[]>>;
  readonly bodies: Readonly<Record<string, readonly unknown[]>>;
}

/** Requests for an operation: as documented, and broken in all places. The key is put in unless a request has its own. */
export function requestsOf(operation: Operation, schemas: Schemas, known: Known): Arbitrary<WireRequest> {
  return fc.oneof(
    { weight: 1, arbitrary: rightRequests(operation, schemas, known) },
    { weight: 5, arbitrary: anyRequests(operation, schemas, known) },
  );
}

/** Requests that name what there is and fit in all. */
function rightRequests(operation: Operation, schemas: Schemas, known: Known): Arbitrary<WireRequest> {
  const { method, path, parameters, bodies } = operation;
  const valuesFor = ({ name, schema }: Parameter): Arbitrary<string> => {
    const named = known.parameters[`${path} ${name}`];
    return named === undefined ? valuesOf(schema, schemas).map(String) : fc.constantFrom(...named);
  };
  const inPath = parameters.filter((parameter) => parameter.in === 'path');
  const inQuery = parameters.filter(({ name }) => known.parameters[`${path} ${name}`] !== undefined);
  const [media] = Object.entries(bodies);
  const fitting = media === undefined ? [undefined] : (known.bodies[path] ?? [undefined]);
  return fc
    .record({
      path: fc.tuple(...inPath.map(valuesFor)),
      query: fc.tuple(...inQuery.filter((parameter) => parameter.in === 'query').map(valuesFor)),
      body: fc.constantFrom(...fitting),
      other: media === undefined ? fc.constant(undefined) : valuesOf(media[1].schema, schemas),
    })
    .map((given) => {
      const filled = inPath.reduce(
        (text, { name }, at) => text.replace(`{${name}}`, () => encode(given.path[at] ?? '')),
        path,
      );
      const pairs = inQuery
        .filter((parameter) => parameter.in === 'query')
        .map(({ name }, at) => `${name}=${given.query[at] ?? ''}`);
      const target = pairs.length === 0 ? filled : `${filled}?${pairs.join('&')}`;
      if (media === undefined) return { method, target, headers: {}, body: undefined };
      const { headers, bytes } = wire(media[0], JSON.stringify(given.body ?? given.other));
      return { method, target, headers, body: bytes };
    });
}

function anyRequests(operation: Operation, schemas: Schemas, known: Known): Arbitrary<WireRequest> {
  return fc
    .record({
      path: pathsOf(operation, known),
      query: queriesOf(operation, schemas, known),
      headers: headersOf(operation),
      body: bodiesOf(operation, schemas, known),
    })
    .map(({ path, query, headers, body }) => ({
      method: operation.method,
      target: query === '' ? path : `${path}?${query}`,
      headers: { ...body.headers, ...headers },
      body: body.bytes,
    }));
}

/** Text in a URL. Half a surrogate pair has no UTF-8: what goes out is the bytes that some clients send for it. */
function encode(text: string): string {
  return [...text]
    .map((character) => {
      const code = character.codePointAt(0) ?? 0;
      return code >= 0xd800 && code <= 0xdfff ? '%ED%A0%80' : encodeURIComponent(character);
    })
    .join('');
}

function pathsOf({ path, parameters, ...operation }: Operation, known: Known): Arbitrary<string> {
  const names = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
  if (names.length === 0) return fc.constant(path);
  const values = names.map((name) => segments(known.parameters[`${path} ${name}`] ?? [], operation.method));
  return fc
    .tuple(...values)
    .map((given) => names.reduce((filled, name, index) => filled.replace(`{${name}}`, () => given[index] ?? ''), path));
}

function segments(known: readonly string[], method: string): Arbitrary<string> {
  const there = known.length === 0 ? strangeTexts : fc.constantFrom(...known);
  const strange = strangeTexts.map(encode).filter((text) => text !== '' && text !== '.' && text !== '..');
  // Bytes that are no UTF-8, and percent signs that begin nothing.
  const raw = fc.constantFrom('%', '%ff', '%zz', '%c3%28', '%00', '%2e%2e', '%2f', 'a%20b');
  return fc.oneof(
    { weight: method === 'DELETE' ? 1 : 4, arbitrary: there.map(encode).filter((text) => text !== '') },
    { weight: 3, arbitrary: strange },
    { weight: 1, arbitrary: raw },
  );
}

function queriesOf({ path, parameters }: Operation, schemas: Schemas, known: Known): Arbitrary<string> {
  const pairs = parameters
    .filter((parameter) => parameter.in === 'query')
    .map((parameter) => queryOf(parameter, schemas, known.parameters[`${path} ${parameter.name}`]));
  const unknown = fc.oneof(
    { weight: 9, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: strangeTexts.map((text) => `${encode(text)}=1`) },
  );
  return fc.tuple(...pairs, unknown).map((all) => all.filter((pair) => pair !== '').join('&'));
}

function queryOf(parameter: Parameter, schemas: Schemas, known: readonly string[] | undefined): Arbitrary<string> {
  const fitting = known === undefined ? valuesOf(parameter.schema, schemas) : fc.constantFrom(...known);
  const one = fc.oneof({ weight: 3, arbitrary: fitting }, { weight: 1, arbitrary: strangeTexts });
  const pair = one.map((value) =>
    (Array.isArray(value) ? value : [value])
      .map((item) => `${encode(parameter.name)}=${encode(String(item))}`)
      .join('&'),
  );
  const twice = pair.map((text) => `${text}&${text}`);
  const asList = pair.map((text) => text.replace('=', '[]='));
  // A known value is given always: without it the request would do something else, such as wait for a minute.
  const absent = { weight: known === undefined ? 6 : 0, arbitrary: fc.constant('') };
  return fc.oneof(absent, { weight: 6, arbitrary: pair }, { weight: 1, arbitrary: fc.oneof(twice, asList) });
}

/** What headers may hold at all; the rest is refused by clients and by the parser of HTTP. */
const headerTexts = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'abc019 -_,;=/*"\\éÿ'), maxLength: 60 }),
  fc.constantFrom('', '0', '-1', '1e9', 'x'.repeat(4_000), '99999999999999999999', 'null', '"', 'W/"', '*'),
);

function headersOf({ parameters }: Operation): Arbitrary<Record<string, string>> {
  const own = parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name);
  const names = [...own, 'accept', 'accept-encoding', 'if-none-match', 'last-event-id', 'x-forwarded-for', 'origin'];
  const authorization = fc.constantFrom('', 'Bearer', 'Bearer ', 'Basic YTpi', 'bearer é', 'Bearer a b');
  return fc
    .record({
      given: fc.dictionary(fc.constantFrom(...names), headerTexts, { maxKeys: 2 }),
      authorization: fc.oneof(
        { weight: 30, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: authorization },
      ),
    })
    .map((all) => (all.authorization === undefined ? all.given : { ...all.given, authorization: all.authorization }));
}

interface WireBody {
  readonly headers: Record<string, string>;
  readonly bytes: Buffer | undefined;
}

function bodiesOf({ path, bodies }: Operation, schemas: Schemas, known: Known): Arbitrary<WireBody> {
  const none = fc.constant<WireBody>({ headers: {}, bytes: undefined });
  const stray = strangeValues.map((value) => wire('application/json', JSON.stringify(value)));
  const media = Object.entries(bodies);
  if (media.length === 0) return fc.oneof({ weight: 9, arbitrary: none }, { weight: 1, arbitrary: stray });
  const whole = media.map(([type, { schema }]) => {
    const real = known.bodies[path] ?? [];
    const values = valuesOf(schema, schemas);
    const fitting = real.length === 0 ? values : fc.oneof(values, fc.constantFrom(...real));
    const all = fc.oneof(fitting, broken(fitting), { weight: 1, arbitrary: strangeValues });
    // JSON is YAML too.
    return all.map((value) => wire(type, JSON.stringify(value)));
  });
  return fc.oneof(
    { weight: 8, arbitrary: fc.oneof(...whole) },
    { weight: 1, arbitrary: none },
    { weight: 2, arbitrary: spoilt(media.map(([type]) => type)) },
  );
}

function wire(type: string, text: string | Buffer): WireBody {
  return { headers: { 'content-type': type }, bytes: Buffer.from(text) };
}

/** Bodies that are no JSON, no YAML, no UTF-8, not of the type or encoding that they say. */
function spoilt(types: readonly string[]): Arbitrary<WireBody> {
  const text = fc.oneof(
    strangeTexts,
    fc.constantFrom(
      '{',
      '[1,',
      '{"a":1}x',
      '"\\ud800"',
      '{"workflow":"\\u0000"}',
      '- a\n- *b',
      '&a [*a]',
      '--- 1\n--- 2',
    ),
  );
  const bytes = fc.oneof(
    text.map((one) => Buffer.from(one)),
    fc.uint8Array({ maxLength: 60 }).map((one) => Buffer.from(one)),
  );
  const others = [
    'text/plain',
    'application/jsonx',
    '',
    'application/json; charset=utf-16',
    'application/xml',
    '/',
    ';',
  ];
  const encodings = fc.constantFrom(undefined, undefined, undefined, 'gzip', 'deflate', 'br', 'zstd', 'identity, gzip');
  return fc.record({ type: fc.constantFrom(...types, ...others), bytes, encoding: encodings }).map((all) => ({
    headers: {
      'content-type': all.type,
      ...(all.encoding === undefined ? {} : { 'content-encoding': all.encoding }),
    },
    bytes: all.bytes,
  }));
}
