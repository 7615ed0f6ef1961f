import { applyDecorators } from '@nestjs/common';
import { ApiQuery, ApiResponse, type OpenAPIObject } from '@nestjs/swagger';
import type { z } from 'zod';
import { parameterOf, refTo, type SchemaName } from './schemas';

/** What a status means: words, and for a success the shape of the body and a media type it may come in beside JSON. */
type Answer = string | readonly [description: string, schema: SchemaName, mediaType?: string];

const PROBLEM = 'application/problem+json';
/** Headers that go with a status, on any route. */
const HEADERS: Readonly<
  Record<number, Record<string, { description: string; schema: { type: 'string' | 'integer' } }>>
> = {
  304: { ETag: { description: 'The tag that the request named.', schema: { type: 'string' } } },
  401: { 'WWW-Authenticate': { description: 'How to authenticate.', schema: { type: 'string' } } },
  429: { 'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' } } },
  503: { 'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' } } },
};
/** What any route may answer with. */
const WITH_KEY: Readonly<Record<number, string>> = {
  400: 'The path or the query of the request can not be read.',
  401: 'The key is missing or not valid.',
  403: 'The key lacks the scope.',
  429: 'Too many wrong keys came from this address; Retry-After says how long to wait.',
  500: 'A fault of the server; the log has it under the id given.',
  503: 'Redis or Postgres does not answer; Retry-After says when to try again.',
};

/** Documents every status of a route that needs a key. */
export function Answers(table: Readonly<Record<number, Answer>>): MethodDecorator {
  return PublicAnswers({ ...WITH_KEY, ...table });
}

/** Documents every status of a route that anybody may call. */
export function PublicAnswers(table: Readonly<Record<number, Answer>>): MethodDecorator {
  const all = Object.entries<Answer>(table);
  return applyDecorators(...all.map(([status, answer]) => ApiResponse(describe(Number(status), answer))));
}

/** {@link Answers} of a route whose success is JSON of that shape, or a stream of events that hold it. */
export function AnswersOrStream(
  schema: SchemaName,
  table: Readonly<Record<number, string>> & Readonly<{ 200: string }>,
): MethodDecorator {
  const { 200: description, ...others } = table;
  const media = { schema: refTo(schema) };
  const content = { 'application/json': media, 'text/event-stream': media };
  return applyDecorators(Answers(others), ApiResponse({ status: 200, description, content }));
}

/** Documents an answer of bytes, of whatever media type. */
export function Bytes(status: number, description: string): MethodDecorator {
  return ApiResponse({ status, description, content: { '*/*': { schema: { type: 'string', format: 'binary' } } } });
}

type Described = Parameters<typeof ApiResponse>[0];

function describe(status: number, answer: Answer): Described {
  const headers = HEADERS[status];
  return headers === undefined ? describeBody(status, answer) : { ...describeBody(status, answer), headers };
}

function describeBody(status: number, answer: Answer): Described {
  if (typeof answer !== 'string') {
    const [description, name, other] = answer;
    const media = { schema: refTo(name) };
    if (other === undefined) return { status, description, content: { 'application/json': media } };
    const text = { schema: { type: 'string' } };
    return other === 'text/event-stream'
      ? // The data of each event: generated clients give events of this type.
        { status, description, content: { [other]: media } }
      : { status, description, content: { 'application/json': media, [other]: text } };
  }
  if (status < 400) return { status, description: answer };
  return { status, description: answer, content: { [PROBLEM]: { schema: refTo('Problem') } } };
}

/** Documents the query of a route from the schemas that it is read with. */
export function Queries(shape: z.ZodRawShape): MethodDecorator {
  return applyDecorators(...Object.entries(shape).map(([name, field]) => ApiQuery({ name, ...parameterOf(field) })));
}

type RequestBody = NonNullable<NonNullable<NonNullable<OpenAPIObject['paths'][string]['post']>['requestBody']>>;

/** Documents the body of a route: its shape in JSON, and in YAML when it takes that. */
export function bodyOf(json: SchemaName, yaml?: SchemaName): RequestBody {
  const content = { 'application/json': { schema: refTo(json) } };
  return {
    required: true,
    content: yaml === undefined ? content : { ...content, 'application/yaml': { schema: refTo(yaml) } },
  };
}
