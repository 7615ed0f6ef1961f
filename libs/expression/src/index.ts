export { parseTemplate, parseCondition, templateReferences, evaluateTemplate } from './template';
export type { Scope, TaskScope, Template, TemplateFault } from './template';
export type { References } from './references';
