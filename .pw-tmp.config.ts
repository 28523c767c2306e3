import base from "/work/main/playwright.config";
const { webServer: _, ...rest } = base as any;
export default { ...rest, testDir: "/work/main/e2e/engine", outputDir: "/tmp/rt/pw-out" };
