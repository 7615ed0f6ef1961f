import { LatticeError } from '@lattice/contracts';
import { checkServices, type ServiceHealth } from '@lattice/engine';
import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Needs } from '../auth/scope';
import { PublicAnswers } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';

/** An answer serves everybody who asks within so many milliseconds: probing must not become a load. */
const FRESH_MS = 500;

/** Whether the process lives, and whether it can do its work. Neither needs a key. */
@ApiTags('health')
@Needs('public')
@Controller('health')
export class HealthController {
  private asked: { at: number; answer: Promise<ServiceHealth[]> } | undefined;

  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  @Get('live')
  @ApiOperation({ summary: 'The process lives', security: [] })
  @PublicAnswers({ 200: ['It does.', 'Health'] })
  live(): { status: string } {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({ summary: 'Redis and Postgres answer', security: [] })
  @PublicAnswers({ 200: ['Both do.', 'Readiness'], 503: 'One does not, or the API is stopping.' })
  async ready(): Promise<{ status: string; services: ServiceHealth[] }> {
    if (this.asked === undefined || Date.now() - this.asked.at > FRESH_MS) {
      this.asked = { at: Date.now(), answer: checkServices(this.engine) };
    }
    const services = await this.asked.answer;
    const silent = services.filter(({ ok }) => !ok).map(({ service }) => service);
    if (silent.length > 0) throw new LatticeError('unavailable', `No answer from ${silent.join(' and ')}.`);
    return { status: 'ok', services };
  }
}
