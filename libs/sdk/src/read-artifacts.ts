import { artifactListSchema, type ArtifactView } from '@lattice/contracts';
import { allPages, fit } from './parse-body';
import { apiErrorOf, request, send, type Call, type CallOptions, type Connection } from './request';

/** What the tasks of a run (or one of them) have left. */
export async function listArtifacts(
  connection: Connection,
  path: string,
  options: CallOptions & { task?: string | undefined },
): Promise<ArtifactView[]> {
  const { task, ...call } = options;
  return allPages(async (after) => {
    const body = await request(connection, { ...call, method: 'GET', path, query: { task, after } });
    const page = fit(artifactListSchema, body, connection.url);
    return { items: page.artifacts, next: page.next };
  });
}

/** The bytes of an artifact, as they come. There is no time limit but that of the signal. */
export async function readArtifact(
  connection: Connection,
  id: string,
  options: Pick<CallOptions, 'signal'>,
): Promise<ReadableStream<Uint8Array>> {
  const signal = options.signal ?? new AbortController().signal;
  const call: Call = { method: 'GET', path: `/v1/artifacts/${encodeURIComponent(id)}`, accept: '*/*' };
  const response = await send(connection, call, signal);
  if (!response.ok) throw apiErrorOf(response, await response.text(), connection.url);
  return response.body ?? new Blob([]).stream();
}
