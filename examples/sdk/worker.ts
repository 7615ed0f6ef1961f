/** A worker of your own: a process with the SDK alone, anywhere that reaches the API. */
import { worker } from '@lattice/sdk';
import { load, report, sum } from './handlers.ts';

const { LATTICE_URL: url = 'http://127.0.0.1:3000', LATTICE_API_KEY: apiKey } = process.env;
const mine = worker({ url, apiKey, handlers: [load, sum, report], labels: { team: 'orders' }, onNotice: console.log });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void mine.stop());
await mine.ended;
