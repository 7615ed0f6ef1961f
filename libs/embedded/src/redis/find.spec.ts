import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedis } from './find';
import { installHint } from './install-hint';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lattice-path-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string, says: string): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(file, 0o755);
  return file;
}

describe('findRedis', () => {
  it('finds nothing on a PATH without one', async () => {
    expect(await findRedis({ PATH: folder })).toBeUndefined();
  });

  it('takes redis-server, and Valkey where Redis is missing or too old', async () => {
    const valkey = program('valkey-server', 'Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64');
    expect(await findRedis({ PATH: folder })).toEqual({ command: valkey });
    const redis = program('redis-server', 'Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64');
    expect(await findRedis({ PATH: folder })).toEqual({ command: valkey });
    program('redis-server', 'Redis server v=6.2.0 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64');
    expect(await findRedis({ PATH: folder })).toEqual({ command: redis });
  });
});

describe('installHint', () => {
  it.each([
    ['linux', 'ID=debian\n', 'sudo apt-get install redis-server'],
    ['linux', 'ID=linuxmint\nID_LIKE="ubuntu debian"\n', 'sudo apt-get install redis-server'],
    ['linux', 'ID=fedora\n', 'sudo dnf install valkey'],
    ['linux', 'ID=alpine\n', 'sudo apk add redis'],
    ['darwin', '', 'brew install redis'],
    ['linux', 'ID=plan9\n', 'Install redis-server or valkey-server'],
  ] as const)('on %s with %j says what to type', (platform, osRelease, command) => {
    expect(installHint(platform, osRelease)).toContain(command);
  });
});
