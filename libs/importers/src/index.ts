export { IMPORT_FORMATS, importers, isImportFormat } from './formats';
export type { ImportFormat } from './formats';
export { BODIES, handlerNameSchema, importedSchema } from './importer';
export type { Body, Imported, Importer, ImportOptions } from './importer';
export { importCodomyrmex } from './codomyrmex/import-codomyrmex';
export { legalName } from './legal-name';
export { taskKeysOf } from './task-keys';
export { importStation } from './station/import-station';
export { importWfFormat } from './wfformat/import-wfformat';
