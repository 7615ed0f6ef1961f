/**
 * 1,000 sockets follow 100 runs on a running platform (LATTICE_URL, LATTICE_API_KEY): how long from an event to the socket, and
 * is anything missing or given twice? Once with the runs spread over 20 s, then five times with all of them in one instant.
 * Prints milliseconds; ends with 1 when an event is missing or comes twice. The time of an event is that of the process that
 * made it, so run it on the machine of the platform; the sockets are all in this process, whose reading counts too. What a
 * client would do with an event does not: the messages are kept with the time at which they came, and parsed at the end.
 * Usage: node bench/sockets.mjs [SOCKETS] [RUNS]
 */
import { WebSocket } from 'ws';

const [sockets = 1_000, runs = 100] = process.argv.slice(2).map(Number);
const { LATTICE_URL: url = 'http://127.0.0.1:3000', LATTICE_API_KEY: key = '' } = process.env;
const authorization = `Bearer ${key}`;
const FINAL = new Set(['run.completed', 'run.failed', 'run.cancelled']);
const BURSTS = 5;
/** The runs begin so long after they are submitted: all sockets follow by then. */
const AHEAD_MS = 3_000;

const steps = ['a', 'b', 'c', 'd', 'e', 'f'];
const tasks = Object.fromEntries(
  steps.map((name, at) => [
    name,
    { uses: 'transform', with: { n: at === 0 ? 0 : `\${{ tasks.${steps[at - 1]}.output.n + 1 }}` } },
  ]),
);

/** Stores a run that begins at a time; gives its id. */
async function submit(at) {
  const delay = `${Math.max(0, Math.round(at - Date.now()))}ms`;
  const body = JSON.stringify({ workflow: { name: 'sockets', tasks }, delay });
  const headers = { authorization, 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/runs`, { method: 'POST', headers, body });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()).runId;
}

function connect() {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/ws`, { headers: { authorization } });
    socket.on('open', () => resolve(socket));
    socket.on('error', reject);
    socket.on('close', (code, reason) => {
      console.error(`a socket was closed with ${code} ${reason}`);
      process.exit(1);
    });
  });
}

/** Follows a run over a socket; `follows` resolves when it does, `ended` with all that came when the run has ended. */
function follow(socket, runId) {
  const messages = [];
  let [isFollowing, isOver] = [];
  const follows = new Promise((resolve) => (isFollowing = resolve));
  const ended = new Promise((resolve) => (isOver = resolve));
  socket.removeAllListeners('message');
  socket.on('message', (data) => {
    messages.push({ now: Date.now(), data });
    if (data.includes('"op":"pong"')) isFollowing();
    else if (data.includes('"type":"run.') && FINAL.has(JSON.parse(data.toString()).type)) isOver({ runId, messages });
  });
  socket.send(JSON.stringify({ op: 'subscribe', runId }));
  socket.send('{"op":"ping"}');
  return { follows, ended };
}

/** The ids that a socket got; its times go into `events`. */
function read({ runId, messages }, events) {
  const ids = [];
  for (const { now, data } of messages) {
    const { op, id, type, at } = JSON.parse(data.toString());
    if (op === 'pong') continue;
    ids.push(id);
    // What happened before the run began was before all sockets followed.
    if (type !== 'run.created') note(events, id, now, Date.parse(at));
  }
  return { runId, ids };
}

function note(events, id, now, at) {
  const known = events.get(id);
  if (known === undefined) events.set(id, { at, first: now, got: [now - at], last: now });
  else {
    known.got.push(now - at);
    known.last = Math.max(known.last, now);
    known.first = Math.min(known.first, now);
  }
}

async function eventsOf(runId) {
  const response = await fetch(`${url}/v1/runs/${runId}/events`, { headers: { authorization } });
  return [...(await response.text()).matchAll(/^id: ?(\d+)$/gm)].map(([, id]) => id);
}

/** Runs begin over so many milliseconds, all followed by then. */
async function measure(all, spread) {
  const start = Date.now() + AHEAD_MS;
  const runIds = await Promise.all(Array.from({ length: runs }, (_, n) => submit(start + (n * spread) / runs)));
  const following = all.map((socket, n) => follow(socket, runIds[n % runs]));
  await Promise.all(following.map(({ follows }) => follows));
  if (Date.now() > start) throw new Error('the runs began before all sockets followed');
  const before = process.cpuUsage();
  const ended = await Promise.all(following.map((socket) => socket.ended));
  const { user, system } = process.cpuUsage(before);
  const events = new Map();
  const followed = ended.map((socket) => read(socket, events));
  const kept = new Map(await Promise.all(runIds.map(async (runId) => [runId, (await eventsOf(runId)).join()])));
  const told = [...events.values()];
  const times = told.flatMap(({ got }) => got).sort((a, b) => a - b);
  const fanOuts = told.map(({ first, last }) => last - first).sort((a, b) => a - b);
  return {
    frames: times.length,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    max: times.at(-1),
    'first to last socket, p99': percentile(fanOuts, 0.99),
    'events made over': Math.max(...told.map(({ at }) => at)) - Math.min(...told.map(({ at }) => at)),
    'CPU here': Math.round((user + system) / 1_000),
    wrong: followed.filter(({ runId, ids }) => ids.join() !== kept.get(runId)).length,
  };
}

function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

const all = await Promise.all(Array.from({ length: sockets }, connect));
console.log(`${sockets} sockets follow ${runs} runs; milliseconds`);
const spread = await measure(all, 20_000);
console.log('spread over 20 s', spread);
const bursts = [];
for (let round = 0; round < BURSTS; round += 1) {
  bursts.push(await measure(all, 0));
  console.log('in one instant', bursts.at(-1));
}
const median = (what) => {
  const sorted = bursts.map((burst) => burst[what]).sort((a, b) => a - b);
  return percentile(sorted, 0.5);
};
console.log('in one instant, medians', { p50: median('p50'), p99: median('p99'), max: median('max') });
process.exit([spread, ...bursts].every(({ wrong }) => wrong === 0) ? 0 : 1);
