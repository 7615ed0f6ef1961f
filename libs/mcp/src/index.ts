export { answerMessage, type HttpMessage } from './answer-message';
export { listedTools, type ServerOptions } from './create-server';
export type { Access, Call, LogQuery, Need, Platform, Refusal, RunQuery, Start } from './platform';
export { serveStdio, type StdioOptions } from './serve-stdio';
