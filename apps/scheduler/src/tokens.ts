/** Under this name the scheduler is injected. */
export const SCHEDULER = Symbol('scheduler');
