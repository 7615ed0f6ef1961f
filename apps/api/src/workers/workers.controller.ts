import type { WorkerView } from '@lattice/contracts';
import { readWorkers } from '@lattice/engine';
import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Needs } from '../auth/scope';
import { Answers } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';

/** The workers seen within a day. */
@ApiTags('workers')
@Controller('v1/workers')
export class WorkersController {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  @Get()
  @Needs('viewer')
  @ApiOperation({ summary: 'List workers, the offline ones too' })
  @Answers({ 200: ['All workers.', 'WorkerList'] })
  async list(): Promise<{ workers: WorkerView[] }> {
    return { workers: await readWorkers(this.engine) };
  }
}
