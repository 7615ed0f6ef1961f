/** The layers of DESIGN.md section 6: arrows point down only, adapters never import each other, each library has one home. */
const adapters = ['persistence', 'queue', 'executor', 'artifacts'];
const allowed = {
  contracts: [],
  config: ['contracts'],
  expression: ['contracts'],
  flow: ['contracts', 'expression'],
  importers: ['contracts', 'expression', 'flow'],
  schedule: ['contracts'],
  persistence: ['contracts'],
  queue: ['contracts', 'flow'],
  executor: ['contracts'],
  artifacts: ['contracts'],
  engine: ['contracts', 'config', 'expression', 'flow', 'importers', 'schedule', ...adapters],
  embedded: ['contracts', 'config'],
  sdk: ['contracts'],
  mcp: ['contracts'],
  cli: ['contracts', 'sdk', 'mcp', 'embedded', 'flow', 'importers'],
};
/** Third-party packages and the one place that may import them. */
const homes = {
  'bullmq|ioredis': '^libs/queue/',
  'typeorm|pg': '^libs/persistence/',
  dockerode: '^libs/executor/',
  '@aws-sdk/[^/]+': '^libs/artifacts/',
  '@marcbachmann/cel-js': '^libs/expression/',
  re2js: '^libs/expression/',
  'js-yaml': '^libs/flow/',
  croner: '^libs/schedule/',
  yaml: '^libs/cli/',
  pino: '^libs/config/',
  'commander|picocolors': '^libs/cli/',
  'eventsource-parser|acorn': '^libs/sdk/',
  // The functions of tasks that are sent along, and tasks in TypeScript.
  esbuild: '^libs/(sdk|executor)/',
  '@nestjs/[^/]+': '^apps/',
  '@bull-board/[^/]+': '^apps/api/',
  express: '^apps/api/',
  '@modelcontextprotocol/[^/]+': '^libs/mcp/',
  // The client of the SDK's workers, and the server.
  ws: '^(apps/api|libs/sdk)/',
};

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...Object.entries(allowed).map(([name, may]) => ({
      name: `${name}-imports-only-${may.join('-') || 'nothing'}`,
      severity: 'error',
      from: { path: `^libs/${name}/` },
      to: { path: '^(libs|apps)/', pathNot: `^libs/(${[name, ...may].join('|')})/` },
    })),
    {
      name: 'apps-wire-only',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^(libs|apps)/', pathNot: '^(libs/(contracts|config|engine|mcp)/|apps/$1/)' },
    },
    {
      name: 'index-only',
      severity: 'error',
      from: { path: '^(libs|apps)/([^/]+)/' },
      to: { path: '^libs/', pathNot: ['^libs/[^/]+/src/index\\.ts$', '^$1/$2/'] },
    },
    ...Object.entries(homes).map(([name, home]) => ({
      name: `home-of-${name}`,
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: [home, '\\.spec\\.ts$'] },
      to: { path: `(^|node_modules/)(${name})(/|$)`, dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer'] },
    })),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.base.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/|\\.spec\\.ts$' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['lattice-source', 'import', 'require', 'node', 'default', 'types'],
    },
  },
};
