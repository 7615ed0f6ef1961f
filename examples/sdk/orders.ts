/** A diamond done by the handlers of `worker.ts`: sums two ways at the same time, and a check that they agree. */
import { LatticeClient, createWorkflow, z } from '@lattice/sdk';
import { load, report, sum } from './handlers.ts';

const orders = createWorkflow('orders', { inputs: { count: z.number().int().positive().default(300) } });
const loaded = orders.add(load, { count: orders.inputs.count });
const all = orders.add(sum, { orders: loaded.output.orders, by: 'all' }, { key: 'sum_all' });
const countries = orders.add(sum, { orders: loaded.output.orders, by: 'country' }, { key: 'sum_countries' });
const total = all.output.sums['all']!; // of a record nobody knows before the run what is in it
const made = orders.add(report, { total, byCountry: countries.output.sums });
const workflow = orders.returns({ lines: made.output.lines, total });

const { LATTICE_URL: url = 'http://127.0.0.1:3000', LATTICE_API_KEY: apiKey } = process.env;
const run = await workflow.run(new LatticeClient({ url, apiKey }), { count: 300 });
for await (const { type, taskKey, data } of run.events()) console.log(type, taskKey ?? '', data.text ?? '');
console.log(JSON.stringify(await run.result()));
