import { checkScripts } from './check-scripts';

test('a folder of scripts that is not there, or a file, refuses the start', async () => {
  await checkScripts(undefined);
  await checkScripts(__dirname);
  await expect(checkScripts('/none')).rejects.toThrow('LATTICE_SCRIPTS: /none is not a folder');
  await expect(checkScripts(__filename)).rejects.toThrow('is not a folder');
});
