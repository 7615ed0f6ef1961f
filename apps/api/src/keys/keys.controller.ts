import { LatticeError, createKeySchema, faultsOf, type CreatedKey, type KeyView } from '@lattice/contracts';
import { KeyRing, parseJsonBody } from '@lattice/engine';
import { Controller, Delete, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Needs } from '../auth/scope';
import { Answers, bodyOf } from '../docs/answers';
import { readJsonText } from '../http/read-body';

/** API keys. Only administrators see and make them. */
@ApiTags('keys')
@Needs('admin')
@Controller('v1/keys')
export class KeysController {
  constructor(private readonly keys: KeyRing) {}

  @Get()
  @ApiOperation({ summary: 'List keys, the revoked ones too' })
  @Answers({ 200: ['All keys, without their secrets.', 'KeyList'] })
  async list(): Promise<{ keys: KeyView[] }> {
    return { keys: await this.keys.list() };
  }

  @Post()
  @ApiOperation({
    requestBody: bodyOf('CreateKey'),
    summary: 'Make a key',
    description: 'The answer is the only place that ever shows the secret.',
  })
  @Answers({
    201: ['The key, with its secret.', 'CreatedKey'],
    400: 'The body is not JSON, or has faults.',
    413: 'The body holds more than 8 MiB.',
    415: 'The body is not JSON.',
  })
  async create(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<CreatedKey> {
    const parsed = createKeySchema.safeParse(parseJsonBody(await readJsonText(request, response)));
    if (!parsed.success) {
      throw new LatticeError('bad_request', 'The key asked for has faults.', { faults: faultsOf(parsed.error) });
    }
    response.status(201);
    return this.keys.create(parsed.data);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Revoke a key for good',
    description: 'Other API processes refuse the key within 5 seconds.',
  })
  @Answers({ 204: 'The key is revoked.', 404: 'There is no valid key of this id.' })
  async revoke(@Param('id') id: string): Promise<void> {
    await this.keys.revoke(id);
  }
}
