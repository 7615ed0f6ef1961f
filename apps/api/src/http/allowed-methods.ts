import type { Request } from 'express';

/** Methods that live at the path of a request, in capitals; empty when none does. */
export function allowedMethods(request: Request): string[] {
  const methods = request.app.router.stack.flatMap((layer) => {
    const route = layer.route;
    if (route === undefined || !matches(layer, request.path)) return [];
    return route.stack.map((handler) => handler.method?.toUpperCase());
  });
  return [...new Set(methods)].filter((method) => method !== undefined).sort();
}

/** Layers of Express match a path by themselves, but their types do not say so. */
function matches(layer: object, path: string): boolean {
  if (!('match' in layer) || typeof layer.match !== 'function') return false;
  try {
    // As a method: a layer keeps what it found in itself.
    return Boolean(Reflect.apply(layer.match, layer, [path]));
  } catch {
    // A path that can't be decoded matches nothing.
    return false;
  }
}
