/**
 * One configuration: specs beside the code, and test/ for what needs several parts. Our own code is CommonJS for Jest
 * (test/support/transform.cjs); the product's modules and packages are loaded once for each process (test/support/shared-packages.cjs).
 */
module.exports = {
  rootDir: __dirname,
  testMatch: ['<rootDir>/{libs,apps}/*/src/**/*.spec.ts', '<rootDir>/test/**/*.spec.ts'],
  testEnvironment: '<rootDir>/test/support/one-realm.cjs',
  runtime: '<rootDir>/test/support/shared-packages.cjs',
  testEnvironmentOptions: { customExportConditions: ['lattice-source', 'node', 'require', 'default'] },
  transform: { '\\.ts$': '<rootDir>/test/support/transform.cjs' },
  modulePathIgnorePatterns: ['<rootDir>/(apps|libs)/[^/]+/dist/', '<rootDir>/\\.lattice/'],
  cacheDirectory: '<rootDir>/.jest-cache',
  maxWorkers: 2,
  testTimeout: 180_000,
  workerIdleMemoryLimit: '1GB',
};
