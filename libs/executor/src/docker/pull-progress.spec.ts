import { PullTally, readPullLine } from './pull-progress';
import { registryOf } from './registry-login';

const line = (status: string, id: string, current?: number, total?: number): string =>
  JSON.stringify({ status, id, progressDetail: current === undefined ? {} : { current, total } });

describe('the progress of a pull', () => {
  it('is added up over layers, and never goes beyond what is known', () => {
    const tally = new PullTally();
    const said = [
      line('Pulling from library/thing', 'latest'),
      line('Pulling fs layer', 'a'),
      line('Already exists', 'b'),
      line('Downloading', 'a', 30_000_000, 120_000_000),
    ].map((text) => tally.add(readPullLine(text) ?? {}));
    expect(said).toEqual([false, true, true, true]);
    expect(tally.progress).toEqual({ percent: 25, text: 'pulling 1 of 2 layers, 30 of 120 MB' });
    for (const text of [line('Download complete', 'a'), line('Extracting', 'a', 5, 120_000_000)])
      tally.add(readPullLine(text) ?? {});
    expect(tally.progress).toEqual({ percent: 99, text: 'pulling 1 of 2 layers, 120 of 120 MB' });
    tally.add(readPullLine(line('Pull complete', 'a')) ?? {});
    expect(tally.progress.text).toBe('pulling 2 of 2 layers, 120 of 120 MB');
  });

  it('passes over what it does not know', () => {
    expect(readPullLine('nonsense')).toBeUndefined();
    expect(readPullLine('{"status":7}')).toBeUndefined();
    expect(new PullTally().progress).toEqual({ percent: 0, text: 'pulling 0 of 0 layers' });
  });
});

describe('the registry of an image', () => {
  it.each([
    ['alpine', 'docker.io'],
    ['library/alpine:3', 'docker.io'],
    ['docker.io/library/alpine', 'docker.io'],
    ['ghcr.io/a/b@sha256:00', 'ghcr.io'],
    ['localhost/a', 'localhost'],
    ['registry:5000/a', 'registry:5000'],
  ])('of %s is %s', (image, registry) => expect(registryOf(image)).toBe(registry));
});
