import fc from 'fast-check';
import { MASK, maskOf } from './mask';
import { maskJson } from './mask-outcome';
import { patternsOf } from './patterns';

const secretText = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 8, maxLength: 60 }),
    fc.string({ unit: fc.constantFrom('a', 'b', 'ab', '\n', '😀'), minLength: 8, maxLength: 40 }),
    fc.base64String({ minLength: 8, maxLength: 300 }),
  )
  .filter((text) => text.trim().length >= 8 && !text.includes('\0'));

/** A text, cut at random places. */
function cut(text: string, places: readonly number[]): string[] {
  const at = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => text.slice(start, at[index] ?? text.length));
}

function streamed(secrets: readonly string[], pieces: readonly string[]): string {
  const stream = maskOf(secrets).stream();
  return pieces.map((piece) => stream.write(piece)).join('') + stream.end();
}

describe('a mask', () => {
  it('lets no form of a secret through, however the text is cut into pieces', () => {
    fc.assert(
      fc.property(
        fc.array(secretText, { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(fc.string({ maxLength: 12 }), fc.nat(), fc.nat()), { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (secrets, parts, places) => {
          const text = parts
            .map(([before, which, form]) => {
              const forms = patternsOf(secrets[which % secrets.length] ?? '');
              return before + (forms[form % forms.length] ?? '');
            })
            .join('');
          const shown = streamed(secrets, cut(text, places));
          expect(shown).toBe(streamed(secrets, [text]));
          expect(/\p{Surrogate}/u.test(shown)).toBe(/\p{Surrogate}/u.test(text));
          // The mask itself may be part of a secret; nothing of what is around it is.
          const patterns = secrets.flatMap(patternsOf);
          for (const rest of [...shown.split(MASK), ...maskOf(secrets).text(text).split(MASK)])
            expect(patterns.filter((pattern) => rest.includes(pattern))).toEqual([]);
        },
      ),
    );
  });

  it('leaves texts alone that hold none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat(), { maxLength: 5 }), (text, places) => {
        const secret = '\u{10FFFE}'.repeat(8);
        fc.pre(!text.includes('\u{10FFFE}'));
        expect(streamed([secret], cut(text, places))).toBe(text);
      }),
    );
  });

  it('holds back only what may become a secret', () => {
    const stream = maskOf(['correct-horse']).stream();
    expect(stream.write('a line\n')).toBe('a line\n');
    expect(stream.write('the c')).toBe('the ');
    expect(stream.write('at\n')).toBe('cat\n');
    expect(stream.write('correct-ho')).toBe('');
    expect(stream.write('rse!')).toBe('***!');
  });

  it.each([
    ['in base64', (secret: string) => Buffer.from(secret).toString('base64')],
    ['in base64 with more before it', (secret: string) => Buffer.from(`user:${secret}`).toString('base64')],
    ['in base64 with more around it', (secret: string) => Buffer.from(`me:${secret}\n`).toString('base64url')],
    ['URL-encoded', encodeURIComponent],
    ['in JSON', (secret: string) => JSON.stringify({ secret })],
    ['in hexadecimal', (secret: string) => Buffer.from(secret).toString('hex')],
  ])('knows a secret %s', (_, encode) => {
    const secret = 'p@ss "word" / ünï=&?';
    const shown = maskOf([secret]).text(`before ${encode(secret)} after`);
    expect(shown).toMatch(/^before .{0,16}\*\*\*.{0,6} after$/);
  });

  it('knows a secret of many lines as a whole, by its lines, and in wrapped base64', () => {
    const lines = [
      '-----BEGIN KEY-----',
      'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC',
      'qhkiG9w0BAQEFAASCAgkAgEAAoIBAQC7',
      '-----END KEY-----',
    ];
    const secret = `${lines.join('\n')}\n`;
    const mask = maskOf([secret]);
    expect(mask.text(`<${lines.join('\r\n')}>`)).toBe('<***>');
    expect(mask.text(`key: ${lines[1] ?? ''}.`)).toBe('key: ***.');
    const wrapped = (
      Buffer.from(secret)
        .toString('base64')
        .match(/.{1,76}/g) ?? []
    ).join('\n');
    expect(mask.text(wrapped)).toBe('***\n***');
  });

  it('knows the texts within a secret that is JSON', () => {
    const secret = JSON.stringify({ user: 'somebody-here', password: 'very-secret' }, null, 2);
    const mask = maskOf([secret]);
    expect(maskJson(mask, JSON.stringify({ got: JSON.parse(secret) }))).toBe('{"got":{"user":"***","password":"***"}}');
  });

  it('masks a secret of which a limit has cut off a part', () => {
    const secret = 'abcdefghijklmnopqrstuvwx';
    const mask = maskOf([secret]);
    expect(mask.text(`log: ${secret.slice(0, 14)}`)).toBe('log: ***');
    expect(mask.text(`${secret.slice(9)} was it`)).toBe('*** was it');
  });

  it('masks texts of many megabytes, with escapes in them', () => {
    const mask = maskOf(['correct-horse']);
    const filler = 'a"\\n\n'.repeat(1_000_000);
    const json = JSON.stringify([`${filler}correct-horse`, 'correct-horse\\']);
    expect(maskJson(mask, json) === JSON.stringify([`${filler}***`, '***\\'])).toBe(true);
  });

  it('keeps JSON what it was, but for the secrets', () => {
    const mask = maskOf(['12345678', 'a":{"b"}']);
    expect(maskJson(mask, '{ "n": 1.50, "id": 12345678, "big": 99999999999999999999, "t": "a\\":{\\"b\\"}" }')).toBe(
      '{ "n": 1.50, "id": "***", "big": 99999999999999999999, "t": "***" }',
    );
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(maskJson(maskOf(['\u{10FFFE}'.repeat(8)]), json)).toBe(json);
      }),
    );
  });
});
