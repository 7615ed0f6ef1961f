import {
  BODIES,
  handlerNameSchema,
  importDocument,
  knownFormat,
  parseDocumentText,
  parseJsonBody,
  type ImportFormat,
  type ImportedDocument,
} from '@lattice/engine';
import { Controller, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { Needs } from '../auth/scope';
import { Answers, Queries } from '../docs/answers';
import { IMPORT_EXAMPLE } from '../docs/examples';
import { isYaml, readBody, readLargeJsonText } from '../http/read-body';
import { queryFactor, readQuery } from '../http/read-query';

const importQuery = {
  body: z
    .enum(BODIES)
    .default('noop')
    .describe('What tasks do: nothing (`noop`, the default), or wait their recorded run time (`sleep`).'),
  scale: queryFactor.default(1).describe('Factor on recorded run times, for `sleep`; default 1.'),
  handler: handlerNameSchema
    .optional()
    .describe('Tasks use `handler/NAME` instead of a process each; its input is the milliseconds to wait.'),
};

const FILE = { schema: { type: 'object' as const, additionalProperties: true, examples: [IMPORT_EXAMPLE] } };

/** Workflow files of other systems. Nothing is saved: the answer holds a document to be saved or run. */
@ApiTags('workflows')
@Controller('v1/import')
export class ImportController {
  @Post(':format')
  @HttpCode(200)
  @Needs('operator')
  @ApiOperation({
    summary: 'Turn a workflow file of another system into a document',
    description:
      'Formats: `wfformat` (WfCommons WfFormat 1.5, JSON), `codomyrmex` and `station` (JSON, or YAML up to 8 MiB). `body`, `scale` and `handler` are of `wfformat`. The document is valid but not saved; `notes` says what could not be carried over.',
    requestBody: {
      required: true,
      description: 'The file as it is, up to 64 MiB.',
      content: {
        'application/json': FILE,
        'application/yaml': FILE,
      },
    },
  })
  @Queries(importQuery)
  @Answers({
    200: ['The document.', 'Imported'],
    400: 'The query has faults, or the body is not JSON or YAML.',
    404: 'There is no importer for this format.',
    413: 'The body holds more than 64 MiB.',
    415: 'The body is neither JSON nor YAML; for `wfformat`, not JSON.',
    422: 'The file has faults; all are listed, with pointers into the file.',
  })
  async import(
    @Param('format') format: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ImportedDocument> {
    const known = knownFormat(format);
    const options = readQuery(request, importQuery);
    return importDocument(known, await this.read(known, request, response), options);
  }

  /** Recorded runs are JSON, and large. */
  private async read(format: ImportFormat, request: Request, response: Response): Promise<unknown> {
    if (format === 'wfformat' || !isYaml(request)) return parseJsonBody(await readLargeJsonText(request, response));
    const { text } = await readBody(request, response);
    return parseDocumentText(text, 'yaml');
  }
}
