import { z } from 'zod';
import { schemaOf, type SchemaLike } from '../workflow/schema';

/** A schema as JSON schema, which can travel. A string says why it can't. */
export function portableSchema(schema: SchemaLike): { json: object } | { fault: string } {
  const whole = schemaOf(schema);
  try {
    // A transform has no JSON schema of what it gives; it is code, and code of a schema does not travel.
    z.toJSONSchema(whole, { io: 'output' });
    const { $schema: _version, '~standard': _standard, ...json } = z.toJSONSchema(whole, { io: 'input' });
    return { json };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}
