import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{app,lib,tools,workers}/**/*.test.{ts,tsx}"],
    environment: "node",
    // The runtime under test has threads of its own.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: process.env["DUCTUS_LONG"] === "1" ? 3_600_000 : 120_000,
    hookTimeout: 120_000,
  },
});
