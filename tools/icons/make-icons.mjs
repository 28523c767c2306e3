/**
 * Paints the icons of the installed app from the site's own mark (app/icon.svg)
 * into public/: `node tools/icons/make-icons.mjs`. The mark on paper, in the
 * light colours; a maskable icon keeps it within the safe zone (a circle of 40 %
 * of the width around the middle, W3C Web Application Manifest).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { chromiumArgs, findChromium } from "../run/chromium.mjs";
import { root } from "../run/deps.mjs";

const mark = readFileSync(join(root, "app", "icon.svg"), "utf8").replace(/@media\([^{]*\{[^}]*\}\}?/, "");
const PAPER = "#faf7f1";
/** @type {{ name: string, size: number, share: number, corner: number }[]} share: of the width that the mark takes */
const ICONS = [
  { name: "app-192.png", size: 192, share: 0.72, corner: 0.2 },
  { name: "app-512.png", size: 512, share: 0.72, corner: 0.2 },
  { name: "app-512-maskable.png", size: 512, share: 0.54, corner: 0 },
];

const executablePath = findChromium();
const browser = await chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args: chromiumArgs });
try {
  for (const { name, size, share, corner } of ICONS) {
    const page = await browser.newPage({ viewport: { width: size, height: size }, colorScheme: "light" });
    await page.setContent(`<style>html,body{margin:0;background:transparent}div{width:${size}px;height:${size}px;display:grid;place-items:center;background:${PAPER};border-radius:${corner * size}px}svg{width:${share * size}px;height:${share * size}px}</style><div>${mark}</div>`);
    writeFileSync(join(root, "public", name), await page.screenshot({ omitBackground: true }));
    await page.close();
  }
} finally {
  await browser.close();
}
