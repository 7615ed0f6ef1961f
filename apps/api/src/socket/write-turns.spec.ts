import { Writable } from 'node:stream';
import { WriteTurns } from './write-turns';

/** Keeps what it is given by each write. */
class Sink extends Writable {
  readonly writes: string[] = [];

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.writes.push(chunks.map(({ chunk }) => chunk.toString()).join(''));
    done();
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('WriteTurns', () => {
  it('makes one write of all that a turn of the event loop writes to a connection', async () => {
    const [a, b, turns] = [new Sink(), new Sink(), new WriteTurns()];
    for (const text of ['1', '2', '3']) {
      for (const sink of [a, b]) {
        turns.hold(sink);
        sink.write(text);
      }
      await Promise.resolve();
    }
    expect(a.writes).toEqual([]);
    await turn();
    expect([a.writes, b.writes]).toEqual([['123'], ['123']]);
    turns.hold(a);
    a.write('4');
    await turn();
    expect(a.writes).toEqual(['123', '4']);
  });

  it('writes at once when told to, and has no trouble with a connection that is gone', async () => {
    const [a, gone, turns] = [new Sink(), new Sink(), new WriteTurns()];
    turns.hold(a);
    turns.hold(gone);
    a.write('1');
    turns.release(a);
    expect(a.writes).toEqual(['1']);
    turns.release(a);
    gone.destroy();
    await turn();
    turns.hold(a);
    a.write('2');
    await turn();
    expect(a.writes).toEqual(['1', '2']);
  });
});
