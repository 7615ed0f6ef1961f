import type { InputDeclaration, WorkflowDocument } from '@lattice/contracts';
import type { JsonSchema } from '../tool';

/** JSON Schema of the inputs that a document declares. */
export function inputsSchemaOf({ inputs = {} }: WorkflowDocument): JsonSchema {
  const declared = Object.entries(inputs);
  const properties = declared.map(([name, input]): [string, object] => [name, propertyOf(input)]);
  const required = declared.filter(([, one]) => one.required && one.default === undefined);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required: required.map(([name]) => name),
    additionalProperties: false,
  };
}

function propertyOf({ type, default: value, description }: InputDeclaration): object {
  return {
    ...(type === 'any' ? {} : { type }),
    ...(description === undefined ? {} : { description }),
    ...(value === undefined ? {} : { default: value }),
  };
}
