import { KeptDocuments } from './kept-documents';

const document = { name: 'w', tasks: {} };
const mebibyte = 1_048_576;

it('keeps what was used last, up to a number of documents and of characters', () => {
  const kept = new KeptDocuments();
  for (let at = 0; at < 500; at += 1) kept.set(`s${at}`, document, 10);
  kept.get('s0');
  kept.set('one more', document, 10);
  expect(kept.size).toBe(500);
  expect(kept.get('s0')).toBe(document);
  expect(kept.get('s1')).toBeUndefined();
  kept.set('large', document, 31 * mebibyte);
  expect(kept.size).toBe(501 - 1);
  kept.set('larger', document, 30 * mebibyte);
  expect(kept.get('large')).toBeUndefined();
  expect(kept.get('larger')).toBe(document);
});

it('counts what is put in again once', () => {
  const kept = new KeptDocuments();
  for (let at = 0; at < 10; at += 1) kept.set('same', document, 20 * mebibyte);
  expect(kept.get('same')).toBe(document);
  kept.set('other', document, 12 * mebibyte);
  expect(kept.size).toBe(2);
});
