/** The JSON text of a task's return value, or why and where (`$.a.b`) it is not a JSON value. */
export function toJson(value: unknown): { json: string } | { fault: string };
