import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema, type Progress } from '@modelcontextprotocol/sdk/types.js';
import { TestPlatform } from '../../support/platform';
import { openRest, type Json, type Rest } from '../../support/rest';

const root = join(__dirname, '..', '..', '..');
const bin = join(root, 'libs', 'cli', 'bin', 'lattice.js');

export const TRANSPORTS = ['http', 'stdio'] as const;
export type TransportKind = (typeof TRANSPORTS)[number];

/** What a tool answered. */
export interface Answer {
  readonly isError: boolean;
  readonly text: string;
  /** The structured content; of an error what its text holds. */
  readonly value: Json;
}

/** A client of MCP, as assistants have one. */
export interface Assistant {
  readonly client: Client;
  /** Calls a tool; the client checks what comes against the schema that it was told. */
  call(name: string, given?: Record<string, unknown>, onprogress?: (progress: Progress) => void): Promise<Answer>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  key?: string;
  readOnly?: boolean;
  workflows?: boolean;
}

/** A platform with its API, to which assistants connect. */
export class McpTest {
  private readonly assistants: Assistant[] = [];

  private constructor(
    readonly platform: TestPlatform,
    readonly rest: Rest,
  ) {}

  static async open(): Promise<McpTest> {
    if (!existsSync(join(root, 'libs', 'cli', 'dist', 'main.js'))) throw new Error('build first: npm run build');
    const platform = await TestPlatform.open();
    await platform.scheduler();
    await platform.worker({ workerId: 'worker-1' });
    return new McpTest(platform, await openRest(platform));
  }

  /** A key of a scope. */
  async key(scope: 'viewer' | 'operator' | 'worker'): Promise<string> {
    const made = await this.rest.json(201, '/v1/keys', { method: 'POST', body: { name: scope, scope } });
    return String(made['key']);
  }

  async connect(kind: TransportKind, options: ConnectOptions = {}): Promise<Assistant> {
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(kind === 'http' ? this.overHttp(options) : this.overStdio(options));
    // The schemas that answers are checked against.
    await client.listTools();
    const assistant = assistantOf(client);
    this.assistants.push(assistant);
    return assistant;
  }

  overHttp({
    key = this.rest.key,
    readOnly = false,
    workflows = false,
  }: ConnectOptions): StreamableHTTPClientTransport {
    const url = new URL(`${this.rest.url}/v1/mcp?readOnly=${readOnly}&workflows=${workflows}`);
    return new StreamableHTTPClientTransport(url, { requestInit: { headers: { authorization: `Bearer ${key}` } } });
  }

  private overStdio({ key = this.rest.key, readOnly, workflows }: ConnectOptions): StdioClientTransport {
    const flags = [...(readOnly === true ? ['--read-only'] : []), ...(workflows === true ? ['--workflows'] : [])];
    return new StdioClientTransport({
      command: process.execPath,
      args: [bin, 'mcp', ...flags],
      cwd: this.platform.folder,
      env: { PATH: process.env['PATH'] ?? '', LATTICE_URL: this.rest.url, LATTICE_API_KEY: key },
      stderr: 'pipe',
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.assistants.map((assistant) => assistant.close()));
    await this.rest.close();
    await this.platform.close();
  }
}

function assistantOf(client: Client): Assistant {
  return {
    client,
    call: async (name, given = {}, onprogress) => {
      const options = onprogress === undefined ? {} : { onprogress };
      const result = CallToolResultSchema.parse(
        await client.callTool({ name, arguments: given }, CallToolResultSchema, options),
      );
      const [first] = result.content;
      const text = first?.type === 'text' ? first.text : '';
      const isError = result.isError === true;
      return { isError, text, value: (isError ? JSON.parse(text) : result.structuredContent) as Json };
    },
    close: () => client.close(),
  };
}
