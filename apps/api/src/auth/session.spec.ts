import { SESSION_MS, cookieOf, signSession, verifySession } from './session';

const SECRET = 'a secret of the server';

describe('session', () => {
  it('gives back the key hash it was signed with, for twelve hours', () => {
    const cookie = signSession(SECRET, 'hash', 1_000);
    expect(verifySession(SECRET, cookie, 1_000 + SESSION_MS - 1)).toBe('hash');
    expect(verifySession(SECRET, cookie, 1_000 + SESSION_MS)).toBeUndefined();
  });

  it('refuses what was signed with another secret, changed, or never signed', () => {
    const cookie = signSession(SECRET, 'hash');
    const [payload, signature] = cookie.split('.');
    const other = Buffer.from(JSON.stringify({ keyHash: 'other', expires: Date.now() + 1e6 })).toString('base64url');
    for (const forged of [
      signSession('x', 'hash'),
      `${other}.${signature}`,
      `${payload}.`,
      `${cookie}.x`,
      '',
      '.',
      'x',
    ]) {
      expect(verifySession(SECRET, forged)).toBeUndefined();
    }
  });

  it('finds a cookie among others', () => {
    expect(cookieOf('a=1; lattice_session=x=y.z ; b=2', 'lattice_session')).toBe('x=y.z');
    expect(cookieOf('my_lattice_session=x', 'lattice_session')).toBeUndefined();
    expect(cookieOf(undefined, 'lattice_session')).toBeUndefined();
  });
});
