import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Schema, Schemas } from './json-schema';

interface Media {
  readonly schema: Schema;
}
export interface Answer {
  readonly content?: Readonly<Record<string, Media>>;
  readonly headers?: Readonly<Record<string, unknown>>;
}
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: Schema;
}

/** A route with a method, as the documentation has it. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly bodies: Readonly<Record<string, Media>>;
  readonly answers: Readonly<Record<string, Answer>>;
}

type Documented = Omit<Operation, 'method' | 'path' | 'bodies' | 'answers'> & {
  readonly requestBody?: { readonly content: Operation['bodies'] };
  readonly responses: Operation['answers'];
};

const FILE = join(__dirname, '../../../docs/openapi.json');

/** Every operation of docs/openapi.json, and the schemas that they name. */
export function readOperations(): { operations: Operation[]; schemas: Schemas } {
  const document = JSON.parse(readFileSync(FILE, 'utf8')) as {
    paths: Record<string, Record<string, Documented>>;
    components: { schemas: Schemas };
  };
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters, requestBody, responses }]) => ({
      method: method.toUpperCase(),
      path,
      parameters: parameters ?? [],
      bodies: requestBody?.content ?? {},
      answers: responses,
    })),
  );
  return { operations, schemas: document.components.schemas };
}
