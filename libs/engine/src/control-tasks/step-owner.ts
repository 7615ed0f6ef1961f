/** Under this name all schedulers take steps: whoever takes the next one goes on with the same attempt. */
export const STEP_OWNER = 'scheduler';
/** All steps of an attempt are one call to `begin`, repeated. */
export const STEP_NONCE = 'step';
