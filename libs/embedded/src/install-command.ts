import { readFileSync } from 'node:fs';

type Family = 'debian' | 'fedora' | 'arch' | 'alpine' | 'suse' | 'darwin';

/** What one program's package is called by each package manager. */
export type PackageNames = Readonly<Record<Family, string>>;

const linux: readonly (readonly [RegExp, Family, string])[] = [
  [/debian|ubuntu/, 'debian', 'sudo apt-get install'],
  [/fedora|rhel|centos/, 'fedora', 'sudo dnf install'],
  [/arch/, 'arch', 'sudo pacman -S'],
  [/alpine/, 'alpine', 'sudo apk add'],
  [/suse/, 'suse', 'sudo zypper install'],
];

/** What to type on this system to get a package; undefined where we don't know. */
export function installCommand(
  names: PackageNames,
  platform: NodeJS.Platform = process.platform,
  osRelease = readOsRelease(),
): string | undefined {
  if (platform === 'darwin') return `brew install ${names.darwin}`;
  const ids = [...osRelease.matchAll(/^ID(?:_LIKE)?=(.*)$/gm)].map((match) => match[1]).join(' ');
  const found = linux.find(([pattern]) => pattern.test(ids));
  return found && `${found[2]} ${names[found[1]]}`;
}

function readOsRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}
