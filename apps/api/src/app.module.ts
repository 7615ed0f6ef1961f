import { DocumentCache, KeyRing, LiveHub, SendAtOnce, type Engine, type Runtime } from '@lattice/engine';
import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { ArtifactsController } from './artifacts/artifacts.controller';
import { RunArtifactsController } from './artifacts/run-artifacts.controller';
import { Authenticator } from './auth/authenticator';
import { LoginController } from './auth/login.controller';
import { ScopeGuard } from './auth/scope';
import { ENGINE } from './engine';
import { CacheController } from './cache/cache.controller';
import { HealthController } from './health/health.controller';
import { ImportController } from './import/import.controller';
import { HomeController } from './home.controller';
import { ProblemFilter } from './http/problem.filter';
import { KeysController } from './keys/keys.controller';
import { LiveGateway } from './live/live.gateway';
import { McpController } from './mcp/mcp.controller';
import { EventsController } from './runs/events.controller';
import { LogsController } from './runs/logs.controller';
import { ReportsController } from './runs/reports.controller';
import { RerunController } from './runs/rerun.controller';
import { RunsController } from './runs/runs.controller';
import { SignalsController } from './runs/signals.controller';
import { SubmitController } from './runs/submit.controller';
import { SchedulesController } from './schedules/schedules.controller';
import { SchemaController } from './schema/schema.controller';
import { SecretsController } from './secrets/secrets.controller';
import { RUNTIME, WorkerGateway } from './worker-socket/worker.gateway';
import { WorkerArtifactsController } from './worker-socket/worker-artifacts.controller';
import { BatchesController } from './workers/batches.controller';
import { WorkersController } from './workers/workers.controller';
import { WorkflowsController } from './workflows/workflows.controller';

/** What the routes work with, made before the application: its order of closing is not for Nest to choose. */
export interface Services {
  readonly engine: Engine;
  readonly runtime: Runtime;
  readonly hub: LiveHub;
  readonly keys: KeyRing;
  readonly authenticator: Authenticator;
  readonly sender: SendAtOnce;
}

/** Every route there is. */
export const CONTROLLERS = [
  SubmitController,
  RunsController,
  RerunController,
  ReportsController,
  EventsController,
  LogsController,
  RunArtifactsController,
  ArtifactsController,
  SignalsController,
  WorkflowsController,
  SchedulesController,
  SchemaController,
  ImportController,
  CacheController,
  WorkersController,
  BatchesController,
  WorkerArtifactsController,
  KeysController,
  SecretsController,
  McpController,
  HealthController,
  LoginController,
  HomeController,
];

/** The application: every route, the socket, the guard and the filter. */
@Module({})
export class AppModule {
  static with({ engine, runtime, hub, keys, authenticator, sender }: Services): DynamicModule {
    return {
      module: AppModule,
      controllers: CONTROLLERS,
      providers: [
        { provide: ENGINE, useValue: engine },
        { provide: RUNTIME, useValue: runtime },
        { provide: SendAtOnce, useValue: sender },
        { provide: LiveHub, useValue: hub },
        { provide: KeyRing, useValue: keys },
        { provide: Authenticator, useValue: authenticator },
        { provide: DocumentCache, useValue: new DocumentCache() },
        { provide: APP_GUARD, useClass: ScopeGuard },
        { provide: APP_FILTER, useValue: new ProblemFilter(engine.log) },
        LiveGateway,
        WorkerGateway,
      ],
    };
  }
}
