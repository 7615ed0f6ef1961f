/** One configuration: specs beside the code, and test/ for what needs several parts. Runs in CommonJS; see test/support/transform.cjs. */
module.exports = {
  rootDir: __dirname,
  testMatch: ['<rootDir>/{libs,apps}/*/src/**/*.spec.ts', '<rootDir>/test/**/*.spec.ts'],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['lattice-source', 'node', 'require', 'default'] },
  transform: { '\\.[cm]?[jt]s$': '<rootDir>/test/support/transform.cjs' },
  transformIgnorePatterns: [],
  modulePathIgnorePatterns: ['<rootDir>/(apps|libs)/[^/]+/dist/', '<rootDir>/\\.lattice/'],
  cacheDirectory: '<rootDir>/.jest-cache',
  maxWorkers: 2,
  testTimeout: 60_000,
  workerIdleMemoryLimit: '1GB',
};
