import { installCommand } from '../install-command';

const names = {
  debian: 'redis-server',
  fedora: 'valkey',
  arch: 'valkey',
  alpine: 'redis',
  suse: 'redis',
  darwin: 'redis',
};

/** What to type on this system to get a Redis. */
export function installHint(platform?: NodeJS.Platform, osRelease?: string): string {
  const command = installCommand(names, platform, osRelease);
  const first = command ? `Type: ${command}` : 'Install redis-server or valkey-server (6.2 or newer)';
  return `Lattice needs a Redis, and none is on PATH, to be unpacked from a package, or to be had as a container. ${first}\nOr set REDIS_URL to one that runs elsewhere.`;
}
