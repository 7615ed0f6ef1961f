import { statSync } from 'node:fs';
import path from 'node:path';

const OTHERS_PASS = 0o001;
const OTHERS_READ = 0o004;

/** Whether a user without any right of its own can reach this path by its folders, and read what is there. */
export function isReachable(target: string): boolean {
  try {
    const { mode } = statSync(target);
    const wanted = statSync(target).isDirectory() ? OTHERS_READ | OTHERS_PASS : OTHERS_READ;
    return (mode & wanted) === wanted && canPass(path.dirname(target));
  } catch {
    return false;
  }
}

/** Whether such a user can pass through this folder and all above it. */
export function canPass(folder: string): boolean {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    try {
      if ((statSync(at).mode & OTHERS_PASS) === 0) return false;
    } catch {
      return false;
    }
    if (at === path.dirname(at)) return true;
  }
}
