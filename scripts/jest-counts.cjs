const { writeFileSync } = require('node:fs');

/** A Jest reporter that leaves the counts for scripts/test.mjs. A spec file that could not run counts as one failed test. */
module.exports = class CountsReporter {
  onRunComplete(_contexts, results) {
    const counts = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(process.env.LATTICE_TEST_COUNTS, JSON.stringify(counts));
  }
};
