import { LatticeClient, createWorkflow, task, z } from '@lattice/sdk';

const names = z.array(z.string());
const clean = task({ name: 'clean', inputs: { names }, outputs: { names } }, (input) => ({
  names: input.names.map((name) => name.trim()),
}));
const longest = task(
  { name: 'longest', inputs: { names }, outputs: z.string() },
  (input) => input.names.toSorted((a, b) => b.length - a.length)[0] ?? 'nobody',
);
const shout = task({ name: 'shout', inputs: { names }, outputs: names }, (input) => {
  console.log(`greeting ${input.names.length}`); // into the log of the task
  return input.names.map((name) => `HELLO ${name.toUpperCase()}`);
});

const greet = createWorkflow('greet', { inputs: { names: names.default(['Ada ', ' Grace', 'Edsger']) } });
const cleaned = greet.add(clean, { names: greet.inputs.names });
const winner = greet.add(longest, { names: cleaned.output.names }); // runs after clean: it refers to it
const loud = greet.add(shout, { names: cleaned.output.names }); // runs beside longest
const workflow = greet.returns({ longest: winner.output, greetings: loud.output });

const { LATTICE_URL: url = 'http://127.0.0.1:3000', LATTICE_API_KEY: apiKey } = process.env;
const run = await workflow.run(new LatticeClient({ url, apiKey }));
for await (const { taskKey, status } of run.results()) console.log(taskKey, status);
console.log(await run.result()); // { longest: string; greetings: string[] }
