import { LatticeError } from '@lattice/contracts';

/** The address of an API without a slash at the end. Throws `bad_value` for what is no `http(s)://` URL. */
export function addressOf(url: string): string {
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
