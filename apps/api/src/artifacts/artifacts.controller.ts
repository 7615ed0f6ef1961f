import { findArtifact, openArtifact } from '@lattice/engine';
import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Needs } from '../auth/scope';
import { Answers, Bytes } from '../docs/answers';
import { ENGINE, type Engine } from '../engine';
import { isFresh } from '../http/etag';
import { partOf } from './part-of';
import { sendBytes } from './send-bytes';

/** The bytes of artifacts. */
@ApiTags('artifacts')
@Controller('v1/artifacts')
export class ArtifactsController {
  constructor(@Inject(ENGINE) private readonly engine: Engine) {}

  @Get(':id')
  @Needs('viewer')
  @ApiOperation({
    summary: 'Read an artifact',
    description: 'Its bytes, or those that `Range` names. The ETag is its SHA-256: an artifact never changes.',
  })
  @Bytes(200, 'The bytes.')
  @Bytes(206, 'The bytes of the range.')
  @Answers({
    304: 'The client has them already.',
    404: 'There is no artifact of this id.',
    416: 'The range is beyond the end.',
  })
  async read(@Param('id') id: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const artifact = await findArtifact(this.engine, id);
    if (isFresh(request, response, artifact.sha256)) {
      response.end();
      return;
    }
    const part = partOf(request, artifact.size, `"${artifact.sha256}"`);
    if (part === 'beyond') {
      response.set('Content-Range', `bytes */${artifact.size}`);
    }
    await sendBytes({ request, response, artifact, part }, (options) => openArtifact(this.engine, artifact, options));
  }
}
