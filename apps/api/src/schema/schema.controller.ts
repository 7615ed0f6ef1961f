import { documentJsonSchema } from '@lattice/contracts';
import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Needs } from '../auth/scope';
import { Answers } from '../docs/answers';

/** GET /v1/schema: the JSON Schema of workflow documents, for editors. */
@ApiTags('workflows')
@Controller('v1/schema')
export class SchemaController {
  private readonly schema = documentJsonSchema();

  @Get()
  @Needs('viewer')
  @ApiOperation({ summary: 'JSON Schema of a workflow document' })
  @Answers({ 200: ['The schema (2020-12).', 'JsonSchema'] })
  read(): Record<string, unknown> {
    return this.schema;
  }
}
