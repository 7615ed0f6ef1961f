import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inputTypes, parseInputOptions, parseInputsOption } from './inputs';

describe('--input', () => {
  it('is text for an input of type string, else JSON if it is JSON, else text', () => {
    const types = inputTypes({ name: 'x', inputs: { id: { type: 'string' }, n: { type: 'integer' } } });
    expect(parseInputOptions(['id=007', 'n=7', 'flag=true', 'list=[1,2]', 'free=a=b', 'empty='], types)).toEqual({
      id: '007',
      n: 7,
      flag: true,
      list: [1, 2],
      free: 'a=b',
      empty: '',
    });
  });

  it('needs a name and a value', () => {
    expect(() => parseInputOptions(['who'], {})).toThrow('--input who lacks its value');
    expect(() => parseInputOptions(['=x'], {})).toThrow('name=value');
  });

  it('knows no types of a document that is not valid', () => {
    expect(inputTypes({ inputs: { who: { type: 'text' } } })).toEqual({});
  });
});

describe('--inputs', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'lattice-inputs-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is a JSON object, or a file with one', () => {
    writeFileSync(join(folder, 'in.json'), '{"who":"you"}');
    expect(parseInputsOption('{"n":1}', folder)).toEqual({ n: 1 });
    expect(parseInputsOption('@in.json', folder)).toEqual({ who: 'you' });
    expect(() => parseInputsOption('[1]', folder)).toThrow('--inputs is not a JSON object');
    expect(() => parseInputsOption('@no.json', folder)).toThrow('there is no such file');
  });
});
