import { KEY_SCOPES } from '@lattice/contracts';
import { mayDo } from './scopes';

it('each scope may do what the ones below it may, and a worker nothing', () => {
  const table = KEY_SCOPES.map((held) => [mayDo(held, 'viewer'), mayDo(held, 'operator'), mayDo(held, 'admin')]);
  expect(Object.fromEntries(KEY_SCOPES.map((scope, index) => [scope, table[index]]))).toEqual({
    viewer: [true, false, false],
    operator: [true, true, false],
    admin: [true, true, true],
    worker: [false, false, false],
  });
});
