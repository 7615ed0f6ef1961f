/** docs/errors.md: the table of error codes, as users read it. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

const FAMILIES = {
  request: 'Answers to requests that were wrong.',
  document:
    'Faults of a workflow document. They come together, in `faults[]` of `invalid_document`, each with a JSON pointer.',
  retryable: 'How an attempt ended; a retry policy tries again by default.',
  terminal:
    'How an attempt or a run ended; trying again would end the same way, so it is done only if `retryOn` names the code.',
  server: 'Faults of the server.',
};

export function* errors(root) {
  const { CODES } = createRequire(join(root, 'libs/engine/package.json'))('@lattice/contracts');
  const lines = [
    '# Error codes',
    '',
    'Every error of the API is `application/problem+json` with one of these codes in `code`; errors of tasks and runs carry one too.',
    'Codes are never renamed.',
  ];
  for (const [family, about] of Object.entries(FAMILIES)) {
    lines.push('', `## ${family}`, '', about, '', '| code | HTTP | what to do |', '|---|---|---|');
    for (const [code, entry] of Object.entries(CODES)) {
      if (entry.family === family)
        lines.push(
          `| \`${code}\` | ${family === 'request' || family === 'server' ? entry.status : ''} | ${entry.hint} |`,
        );
    }
  }
  yield [join(root, 'docs/errors.md'), `${lines.join('\n')}\n`];
}
