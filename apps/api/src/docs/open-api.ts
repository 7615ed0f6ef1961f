import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { operationIdOf } from './operation-ids';
import { componentSchemas } from './schemas';

const DESCRIPTION = `Graphs of tasks on any number of workers. Send \`Authorization: Bearer KEY\` with every request.

Errors are \`application/problem+json\` with a stable \`code\`; documents and inputs with faults list all of them, each with a
JSON pointer. Times are ISO 8601 in UTC, durations text such as \`30s\`. Lists come in pages: \`next\` is the \`cursor\` of the next.

WebSocket \`/v1/ws\` follows many runs over one connection: authenticate by header or with a first frame
\`{"op":"auth","key":"..."}\` within 5 s, then \`{"op":"subscribe","runId":"...","after":"0"}\` and \`{"op":"unsubscribe","runId":"..."}\`.
Frames are events, as in \`RunEvent\`; faults come as \`{"op":"error","code","detail"}\`, with \`runId\` where they are about one run.`;

/** The OpenAPI document of all routes. Needs no running service: it is read from the decorators. */
export function openApiOf(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Lattice')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key.' })
    .addSecurityRequirements('bearer')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: operationIdOf,
  });
  return { ...document, components: { ...document.components, schemas: componentSchemas() } };
}

/** Serves the document at /docs-json and a page to try it at /docs. */
export function serveDocs(app: INestApplication): void {
  const document = openApiOf(app);
  SwaggerModule.setup('docs', app, document, {
    jsonDocumentUrl: 'docs-json',
    yamlDocumentUrl: 'docs-yaml',
    customSiteTitle: 'Lattice API',
    swaggerOptions: { persistAuthorization: false, validatorUrl: 'none' },
  });
}
