/**
 * 1,000 sockets follow 100 runs on a running platform (LATTICE_URL, LATTICE_API_KEY): how long from an event to the socket, and
 * is anything missing or given twice? Prints percentiles in milliseconds; ends with 1 when an event is missing or comes twice.
 * The time of an event is that of the process that made it: run it on the machine of the platform.
 * Usage: node bench/sockets.mjs [SOCKETS] [RUNS]
 */
import { WebSocket } from 'ws';

const [sockets = 1_000, runs = 100] = process.argv.slice(2).map(Number);
const { LATTICE_URL: url = 'http://127.0.0.1:3000', LATTICE_API_KEY: key = '' } = process.env;
const authorization = `Bearer ${key}`;
const FINAL = new Set(['run.completed', 'run.failed', 'run.cancelled']);

const steps = ['a', 'b', 'c', 'd', 'e', 'f'];
const tasks = Object.fromEntries(
  steps.map((name, at) => [
    name,
    { uses: 'transform', with: { n: at === 0 ? 0 : `\${{ tasks.${steps[at - 1]}.output.n + 1 }}` } },
  ]),
);

/** The runs begin one after the other, over 20 seconds: what is measured is the way to the socket, not a queue of runs. */
async function submit(_, n) {
  const body = JSON.stringify({
    workflow: { name: 'sockets', tasks },
    delay: `${5_000 + Math.round((n * 20_000) / runs)}ms`,
  });
  const headers = { authorization, 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/runs`, { method: 'POST', headers, body });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()).runId;
}

function follow(runId, latencies) {
  return new Promise((resolve, reject) => {
    const ids = [];
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/ws`, { headers: { authorization } });
    socket.on('open', () => socket.send(JSON.stringify({ op: 'subscribe', runId })));
    socket.on('error', reject);
    socket.on('close', (code, reason) => reject(new Error(`closed with ${code} ${reason}`)));
    socket.on('message', (data) => {
      const { id, type, at } = JSON.parse(data.toString());
      // What happened before the socket followed is replayed, not live.
      if (type !== 'run.created') latencies.push(Date.now() - Date.parse(at));
      ids.push(id);
      if (!FINAL.has(type)) return;
      socket.removeAllListeners('close');
      socket.close();
      resolve({ runId, ids });
    });
  });
}

async function eventsOf(runId) {
  const response = await fetch(`${url}/v1/runs/${runId}/events`, { headers: { authorization } });
  return [...(await response.text()).matchAll(/^id: ?(\d+)$/gm)].map(([, id]) => id);
}

const runIds = await Promise.all(Array.from({ length: runs }, submit));
const latencies = [];
const followed = await Promise.all(
  Array.from({ length: sockets }, (_, n) => follow(runIds[n % runIds.length], latencies)),
);
const kept = new Map(await Promise.all(runIds.map(async (runId) => [runId, (await eventsOf(runId)).join()])));
const wrong = followed.filter(({ runId, ids }) => ids.join() !== kept.get(runId)).length;
latencies.sort((a, b) => a - b);
const percentile = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
console.log(
  JSON.stringify({
    sockets,
    runs,
    frames: latencies.length,
    p50: percentile(0.5),
    p99: percentile(0.99),
    max: latencies.at(-1),
    wrong,
  }),
);
process.exit(wrong === 0 ? 0 : 1);
