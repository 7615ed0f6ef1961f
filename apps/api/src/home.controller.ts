import { Controller, Get, Redirect } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Needs } from './auth/scope';

/** What a browser sees first. */
@ApiExcludeController()
@Needs('viewer')
@Controller()
export class HomeController {
  @Get()
  @Redirect('/docs', 302)
  home(): void {
    // The decorator does it all.
  }
}
