import { createHash } from 'node:crypto';
import { LatticeError } from '@lattice/contracts';
import { Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { CookieOptions, Request, Response } from 'express';
import { readForm } from '../http/read-body';
import { Authenticator, addressOf } from './authenticator';
import { LOGIN_STYLE, loginPage } from './login-page';
import { safeTarget } from './safe-target';
import { Needs } from './scope';
import { SESSION_COOKIE, SESSION_MS, signSession } from './session';

const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(LOGIN_STYLE).digest('base64')}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

/** Signing in and out of a browser. */
@ApiExcludeController()
@Needs('public')
@Controller()
export class LoginController {
  constructor(@Inject(Authenticator) private readonly authenticator: Authenticator) {}

  @Get('login')
  page(@Req() request: Request, @Res() response: Response): void {
    sendPage(response, 200, loginPage(safeTarget(request.query['next'])));
  }

  @Post('login')
  async signIn(@Req() request: Request, @Res() response: Response): Promise<void> {
    const form = await readForm(request, response);
    const next = safeTarget(form.get('next'));
    try {
      const identity = await this.authenticator.byKey(form.get('key')?.trim() ?? '', addressOf(request));
      const session = signSession(this.authenticator.sessionSecret, identity.keyHash);
      response.cookie(SESSION_COOKIE, session, { ...cookieOptions(request), maxAge: SESSION_MS }).redirect(303, next);
    } catch (error) {
      if (!(error instanceof LatticeError)) throw error;
      const status = error.code === 'too_many_requests' ? 429 : 401;
      sendPage(response, status, loginPage(next, error.message));
    }
  }

  @Get('logout')
  leave(@Req() request: Request, @Res() response: Response): void {
    response.clearCookie(SESSION_COOKIE, cookieOptions(request)).redirect(303, '/login');
  }

  @Post('logout')
  signOut(@Req() request: Request, @Res() response: Response): void {
    this.leave(request, response);
  }
}

function cookieOptions(request: Request): CookieOptions {
  return { httpOnly: true, sameSite: 'strict', secure: request.secure, path: '/', encode: String };
}

function sendPage(response: Response, status: number, page: string): void {
  response
    .status(status)
    .set({ 'Content-Security-Policy': POLICY, 'Cache-Control': 'no-store', 'Content-Type': 'text/html; charset=utf-8' })
    .end(page);
}
