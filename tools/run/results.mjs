/** Counts of tests from the JSON reports of vitest 4 and Playwright. */

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** @param {unknown} report of vitest's json reporter @returns {Counts} */
export function countVitest(report) {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } =
    /** @type {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, testResults: { status: string, assertionResults: unknown[] }[] }} */ (report);
  // A file that does not even load has no tests to fail.
  const broken = testResults.filter(({ status, assertionResults }) => status === "failed" && assertionResults.length === 0).length;
  return { passed: numPassedTests, failed: numFailedTests + broken, skipped: numPendingTests + numTodoTests };
}

/** @param {unknown} report of Playwright's json reporter @returns {Counts} A test that passed on a second try has failed. */
export function countPlaywright(report) {
  const { stats, errors } = /** @type {{ stats: { expected: number, unexpected: number, flaky: number, skipped: number }, errors: unknown[] }} */ (report);
  // Errors outside every test: a file that does not load, a server that does not start.
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky + errors.length, skipped: stats.skipped };
}

/** @param {Counts} counts */
export const summary = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
