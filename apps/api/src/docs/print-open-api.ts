import 'reflect-metadata';
import { DocumentCache, KeyRing, LiveHub, SendAtOnce } from '@lattice/engine';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CONTROLLERS } from '../app.module';
import { Authenticator } from '../auth/authenticator';
import { ENGINE } from '../engine';
import { RUNTIME } from '../worker-socket/worker.gateway';
import { openApiOf } from './open-api';

const TOKENS = [ENGINE, RUNTIME, LiveHub, KeyRing, Authenticator, DocumentCache, SendAtOnce];

/** The routes alone, over nothing: in preview mode no controller is made. */
@Module({ controllers: CONTROLLERS, providers: TOKENS.map((provide) => ({ provide, useValue: null })) })
class RoutesModule {}

async function print(): Promise<void> {
  const app = await NestFactory.create(RoutesModule, { preview: true, logger: false, abortOnError: false });
  process.stdout.write(`${JSON.stringify(openApiOf(app), null, 2)}\n`);
}

print().catch((error: unknown) => {
  process.stderr.write(
    `The OpenAPI document could not be made: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(1);
});
