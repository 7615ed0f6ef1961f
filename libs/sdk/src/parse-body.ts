import { misfit } from './request';

/** What a zod schema is for this client: it needs no more of it. */
export interface Schema<T> {
  safeParse(
    body: unknown,
  ):
    | { success: true; data: T }
    | { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } };
}

/** The body as its schema has it, or an ApiError that says where it differs. */
export function fit<T>(schema: Schema<T>, body: unknown, url: string): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw misfit(url, 200, issue ? `${issue.path.join('.') || 'body'}: ${issue.message}` : 'another shape');
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

/** The list in the field of that name, each item parsed, and where the next page begins. */
export function listIn<T>(body: unknown, field: string, item: Schema<T>, url: string): Page<T> {
  const list = fieldOf(body, field);
  if (!Array.isArray(list)) throw misfit(url, 200, `no list "${field}"`);
  const next = fieldOf(body, 'next');
  return { items: list.map((one) => fit(item, one, url)), next: typeof next === 'string' ? next : null };
}

/** All items, page after page. */
export async function allPages<T>(load: (after: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let after: string | undefined;
  do {
    const page = await load(after);
    items.push(...page.items);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return items;
}

function fieldOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null
    ? Object.entries(body).find(([key]) => key === name)?.[1]
    : undefined;
}
