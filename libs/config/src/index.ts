export { readSettings, redacted, SettingsError } from './settings';
export type { Settings } from './settings';
export { createLogger } from './logger';
export type { Logger } from './logger';
