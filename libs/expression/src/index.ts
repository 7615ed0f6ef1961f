export { parseTemplate, parseCondition, templateReferences, evaluateTemplate, secretUses } from './template';
export type { Scope, TaskScope, Template, TemplateFault, SecretUse } from './template';
export { mergeReferences, type References } from './references';
