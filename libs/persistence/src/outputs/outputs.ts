import { z } from 'zod';
import type { Database } from '../database';
import { prepared } from '../statements';

const STORE_OUTPUT = prepared('store-output');
const LOAD_OUTPUTS = prepared('load-outputs');

/** The attempt that made an output. */
export interface OutputAddress {
  runId: string;
  epoch: number;
  taskKey: string;
  attempt: number;
}

const rowSchema = z.object({ output: z.string().nullable() });

/** Keeps an output (JSON text) that is too large for Redis, before the attempt is recorded. A repeat changes nothing. */
export async function storeOutput(db: Database, address: OutputAddress, output: string): Promise<void> {
  await db.query(STORE_OUTPUT, [address.runId, address.epoch, address.taskKey, address.attempt, output]);
}

/** An output kept apart, as JSON text; undefined when there is none. */
export async function loadOutput(db: Database, address: OutputAddress): Promise<string | undefined> {
  return (await loadOutputs(db, [address]))[0];
}

/** Outputs kept apart, as JSON texts in the order of the addresses; undefined where there is none. */
export async function loadOutputs(db: Database, addresses: readonly OutputAddress[]): Promise<(string | undefined)[]> {
  if (addresses.length === 0) return [];
  const rows = await db.query(LOAD_OUTPUTS, [
    addresses.map((address) => address.runId),
    addresses.map((address) => address.epoch),
    addresses.map((address) => address.taskKey),
    addresses.map((address) => address.attempt),
  ]);
  return rows.map((row) => rowSchema.parse(row).output ?? undefined);
}
