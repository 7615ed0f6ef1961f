import { Initial1767225600000 } from './initial';

/** All migrations, oldest first. One that was released is never changed. */
export const MIGRATIONS = [Initial1767225600000];
