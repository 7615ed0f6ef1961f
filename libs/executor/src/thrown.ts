/** What was thrown may be anything; these read it without believing more than is seen. */

export function messageOf(thrown: unknown): string {
  const message = fieldOf(thrown, 'message');
  return typeof message === 'string' && message !== '' ? message.trim() : String(thrown);
}

export function fieldOf(thrown: unknown, name: string): unknown {
  return typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, name) : undefined;
}
