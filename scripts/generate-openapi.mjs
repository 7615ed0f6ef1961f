/** docs/openapi.json: the OpenAPI document, as the API serves it at /docs-json. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export function* openApi(root) {
  const printer = join(root, 'apps/api/dist/docs/print-open-api.js');
  const text = execFileSync(process.execPath, [printer], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: 60_000,
  });
  yield [join(root, 'docs/openapi.json'), text];
}
