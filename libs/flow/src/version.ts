/**
 * What plans mean, as a number. A run goes by the plans of one version: processes of another neither begin its tasks nor count its
 * gates. Raise it with every change that gives a document another plan, or another meaning to a plan or to a field of the run hash;
 * `npm run generate` refuses to write plans that changed under the same number (`libs/flow/golden/version.json`).
 */
export const PLAN_VERSION = 3;
