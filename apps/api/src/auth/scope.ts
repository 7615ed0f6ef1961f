import { LatticeError } from '@lattice/contracts';
import { isAllowed, type RouteScope } from '@lattice/engine';
import { Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { identityOf } from './identity';

const SCOPE = 'lattice:scope';

/** The scope that a route, or every route of a controller, needs; `public` for routes without a key. */
export const Needs = (scope: RouteScope | 'public') => SetMetadata(SCOPE, scope);

/** Refuses a request whose key lacks the scope of the route. A route that names none needs `admin`. */
@Injectable()
export class ScopeGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const scope =
      this.reflector.getAllAndOverride<RouteScope | 'public' | undefined>(SCOPE, [
        context.getHandler(),
        context.getClass(),
      ]) ?? 'admin';
    if (scope !== 'public') requireScope(context.switchToHttp().getRequest<Request>(), scope);
    return true;
  }
}

/** Throws `forbidden` when the key of the request lacks the scope. */
export function requireScope(request: Request, scope: RouteScope): void {
  const identity = identityOf(request);
  if (!isAllowed(identity, scope)) {
    throw new LatticeError('forbidden', `The key "${identity.name}" lacks the scope ${scope}.`);
  }
}
