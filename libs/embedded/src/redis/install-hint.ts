import { readFileSync } from 'node:fs';

const commands: readonly (readonly [RegExp, string])[] = [
  [/debian|ubuntu/, 'sudo apt-get install redis-server'],
  [/fedora|rhel|centos/, 'sudo dnf install valkey'],
  [/arch/, 'sudo pacman -S valkey'],
  [/alpine/, 'sudo apk add redis'],
  [/suse/, 'sudo zypper install redis'],
];

/** What to type on this system to get a Redis. */
export function installHint(platform: NodeJS.Platform = process.platform, osRelease = readOsRelease()): string {
  const ids = [...osRelease.matchAll(/^ID(?:_LIKE)?=(.*)$/gm)].map((match) => match[1]).join(' ');
  const command = platform === 'darwin' ? 'brew install redis' : commands.find(([pattern]) => pattern.test(ids))?.[1];
  const first = command ? `Type: ${command}` : 'Install redis-server or valkey-server (6.2 or newer)';
  return `Lattice needs a Redis, and none is on PATH, to be unpacked from a package, or to be had as a container. ${first}\nOr set REDIS_URL to one that runs elsewhere.`;
}

function readOsRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}
