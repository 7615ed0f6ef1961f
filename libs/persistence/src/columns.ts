import { RUN_STATUSES, TASK_STATUSES } from '@lattice/contracts';
import { z } from 'zod';

/** A timestamptz: the driver gives a Date, the contract wants ISO 8601 in UTC with milliseconds. */
export const timeColumn = z.date().transform((date) => date.toISOString());
/** A bigint: the driver gives text, since a number might not hold it. */
export const bigintColumn = z.string();
/** A bigint that stays far below 2^53. */
export const smallBigintColumn = z.coerce.number().int();
export const runStatusColumn = z.enum(RUN_STATUSES);
export const taskStatusColumn = z.enum(TASK_STATUSES);
export const objectColumn = z.record(z.string(), z.unknown());
