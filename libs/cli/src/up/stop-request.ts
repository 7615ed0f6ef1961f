/** Someone wants the platform to end: the user, or a part that died under a run that should end with the platform. */
export class StopRequest {
  private readonly controller = new AbortController();

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get requested(): boolean {
    return this.controller.signal.aborted;
  }

  request(): void {
    this.controller.abort(new Error('stopped'));
  }

  /** Resolves when it has been requested. */
  async wait(): Promise<void> {
    if (this.requested) return;
    // An abort listener alone does not keep the process alive.
    const alive = setInterval(() => undefined, 60_000);
    await new Promise<void>((resolve) => this.signal.addEventListener('abort', () => resolve(), { once: true }));
    clearInterval(alive);
  }
}
