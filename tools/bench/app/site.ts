/** The built site on a port of its own, and a Chromium to visit it with. */
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { chromium, type Browser } from "@playwright/test";
import { chromiumArgs, ensureChromium } from "../../run/chromium.mjs";
import { root } from "../../run/deps.mjs";

export interface Site {
  /** Without a slash at its end. */
  address: string;
  browser: Browser;
  close: () => Promise<void>;
}

const PORT = 4400;

/** @throws Error where the site cannot be built or served */
export async function openSite(): Promise<Site> {
  // What the build says goes beside the measures, not among them.
  const built = spawnSync(process.execPath, [join(root, "tools/run/build.mjs")], { cwd: root, stdio: ["ignore", 2, 2] });
  if (built.status !== 0) throw new Error("The site could not be built.");
  const server = spawn(process.execPath, ["--input-type=module", "-e", `import { serve } from "./tools/run/serve.mjs"; console.log("Ductus is at " + await serve({ port: ${PORT} }));`], { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const address = await new Promise<string>((resolve, reject) => {
    let said = "";
    server.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const found = /Ductus is at (\S+)\n/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    server.once("exit", () => reject(new Error(`The site could not be served:\n${said}`)));
  });
  try {
    const browser = await chromium.launch({ executablePath: ensureChromium(), args: chromiumArgs });
    return {
      address,
      browser,
      close: async () => {
        await browser.close();
        server.kill();
      },
    };
  } catch (error) {
    server.kill();
    throw error;
  }
}
