import { LatticeError } from '@lattice/contracts';

/** A variable of the environment; undefined where there is none, as in browsers. */
export function fromEnvironment(name: 'LATTICE_URL' | 'LATTICE_API_KEY'): string | undefined {
  return typeof process === 'undefined' ? undefined : process.env[name] || undefined;
}

/** The address of an API without a slash at the end; that of LATTICE_URL when none is given. Throws `bad_value` for what is no `http(s)://` URL. */
export function addressOf(given: string | undefined): string {
  const url = given ?? fromEnvironment('LATTICE_URL');
  if (url === undefined)
    throw new LatticeError('bad_value', 'give the url of an API, such as http://127.0.0.1:3000, or set LATTICE_URL');
  if (isHttp(url)) return url.replace(/\/+$/, '');
  throw new LatticeError('bad_value', `"${url}" is no address of an API: give a URL such as http://127.0.0.1:3000`);
}

function isHttp(url: string): boolean {
  try {
    return /^https?:$/.test(new URL(url).protocol);
  } catch {
    return false;
  }
}
