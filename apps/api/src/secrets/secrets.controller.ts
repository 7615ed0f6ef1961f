import {
  LatticeError,
  faultsOf,
  putSecretSchema,
  secretNameSchema,
  type RotatedSecrets,
  type SecretView,
} from '@lattice/contracts';
import { parseJsonBody, readSecrets, removeSecret, rotateSecrets, setSecret } from '@lattice/engine';
import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Needs } from '../auth/scope';
import { Answers, bodyOf } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';
import { readJsonText } from '../http/read-body';

const KEYS = 'This process has no key for secrets, or not the one that secrets are encrypted with.';

/** Secrets of tasks. Their values go in and never come out. */
@ApiTags('secrets')
@Needs('admin')
@Controller('v1/secrets')
export class SecretsController {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  @Get()
  @Needs('viewer')
  @ApiOperation({ summary: 'List secrets', description: 'Their names and times. No route shows a value.' })
  @Answers({ 200: ['All secrets, by name.', 'SecretList'] })
  async list(): Promise<{ secrets: SecretView[] }> {
    return { secrets: await readSecrets(this.engine) };
  }

  @Put(':name')
  @ApiOperation({
    requestBody: bodyOf('PutSecret'),
    summary: 'Store a secret',
    description: 'In place of one of this name. Attempts that begin from now on are given the new value.',
  })
  @Answers({
    200: ['It has replaced another value.', 'SecretView'],
    201: ['It is new.', 'SecretView'],
    400: 'The name or the body has faults.',
    409: KEYS,
    413: 'The body holds more than 8 MiB.',
    415: 'The body is not JSON.',
  })
  async put(
    @Param('name') name: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SecretView> {
    const checked = secretNameSchema.safeParse(name);
    if (!checked.success) {
      throw new LatticeError('bad_request', `This is ${checked.error.issues[0]?.message ?? 'not a name'}.`);
    }
    const parsed = putSecretSchema.safeParse(parseBody(await readJsonText(request, response)));
    if (!parsed.success) {
      throw new LatticeError('bad_request', 'The secret has faults.', { faults: faultsOf(parsed.error) });
    }
    const { secret, created } = await setSecret(this.engine, checked.data, parsed.data.value);
    response.status(created ? 201 : 200);
    return secret;
  }

  @Post('rotate')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Encrypt all secrets with the newest key',
    description: 'That is the first key of the API process; those after it decrypt. All secrets or none.',
  })
  @Answers({ 200: ['All are encrypted with that key.', 'RotatedSecrets'], 409: KEYS })
  async rotate(): Promise<RotatedSecrets> {
    return rotateSecrets(this.engine);
  }

  @Delete(':name')
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove a secret', description: 'Attempts that begin from now on fail for want of it.' })
  @Answers({ 204: 'It is removed.', 404: 'There is no secret of this name.' })
  async remove(@Param('name') name: string): Promise<void> {
    await removeSecret(this.engine, name);
  }
}

/** What a parser says of a text quotes it; of this one nothing is to be said. */
function parseBody(text: string): unknown {
  try {
    return parseJsonBody(text);
  } catch {
    throw new LatticeError('unparsable', 'The body is not valid JSON, or has a key twice.');
  }
}
