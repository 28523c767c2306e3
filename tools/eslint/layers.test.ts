/**
 * The house's lint rules, by the repository's own configuration: each fires on
 * what it forbids and lets its neighbour be. The snippets are files that do not
 * exist, so the rules that need types, which are not the house's, are off.
 */
import { ESLint } from "eslint";
import tseslint from "typescript-eslint";
import { describe, expect, it } from "vitest";
import { root } from "../run/deps.mjs";
import { layerRules } from "./layers.mjs";

const eslint = new ESLint({
  cwd: root,
  overrideConfig: [
    tseslint.configs.disableTypeChecked,
    { languageOptions: { parserOptions: { project: false, projectService: false } }, rules: { "@typescript-eslint/no-unused-vars": "off", "@typescript-eslint/no-extraneous-class": "off" } },
  ],
});

/** Messages of every rule on a file of this name. */
async function lint(filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: `${root}/${filePath}` });
  return (result?.messages ?? []).map(({ ruleId, message }) => `${ruleId ?? "fatal"}: ${message}`);
}

const take = (from: string) => `import { a } from "${from}";\nexport const b = a;\n`;
const takeType = (from: string) => `import type { A } from "${from}";\nexport type B = A;\n`;

/** [file, code]: forbidden and the nearest allowed thing, for each row of the table by its `why`. */
const LAYERS: Record<string, { forbidden: [string, string][]; allowed: [string, string][] }> = {
  "lib/core imports nothing but itself.": {
    forbidden: [["lib/core/x.ts", takeType("../data/text")], ["lib/core/x.ts", take("zod")]],
    allowed: [["lib/core/x.ts", take("./errors")], ["lib/core/x.test.ts", take("vitest")]],
  },
  "lib/train/graph imports only lib/core.": {
    forbidden: [["lib/train/graph/x.ts", take("../model/qwen")], ["lib/train/graph/operators/x.ts", take("../../../data/text")], ["lib/train/graph/x.ts", take("zod")]],
    allowed: [["lib/train/graph/operators/x.ts", take("../../../core/errors")], ["lib/train/graph/x.ts", take("./operators/linear")]],
  },
  "Only lib/train/runtime imports onnxruntime.": {
    forbidden: [
      ["lib/train/sft/x.ts", takeType("onnxruntime-common")],
      ["workers/x.ts", take("onnxruntime-web/webgpu")],
      ["lib/train/graph/x.test.ts", take("onnxruntime-node")],
      ["lib/train/generate/x.ts", `export const load = () => import("onnxruntime-web/wasm");\n`],
      ["lib/train/generate/x.ts", `export type A = import("onnxruntime-web").InferenceSession;\n`],
    ],
    allowed: [["lib/train/runtime/x.ts", take("onnxruntime-web/wasm")], ["tools/bench/x.ts", take("onnxruntime-node")]],
  },
  "lib/train/runtime knows no model and no method.": {
    forbidden: [["lib/train/runtime/x.ts", takeType("../model/qwen")], ["lib/train/runtime/x.ts", take("../sft/trainer")]],
    allowed: [["lib/train/runtime/x.ts", take("../graph/graph")], ["lib/train/model/x.ts", take("../graph/graph")]],
  },
  "sft, reward and grpo never import one another.": {
    forbidden: [["lib/train/grpo/x.ts", takeType("../reward/config")], ["lib/train/sft/x.ts", take("../grpo/loss")], ["lib/train/reward/x.ts", `export * from "../sft/batch";\n`]],
    allowed: [["lib/train/grpo/x.ts", take("./loss")], ["lib/train/sft/x.ts", take("../optimizer/adamw")]],
  },
  "lib/train never imports lib/eval: no training step sees an evaluator.": {
    forbidden: [["lib/train/sft/x.ts", takeType("../../eval/report")]],
    allowed: [["lib/eval/x.ts", take("../train/generate/generator")]],
  },
  "lib imports neither app nor workers.": {
    forbidden: [["lib/data/x.ts", takeType("../../workers/protocol")], ["lib/data/x.test.ts", take("../../app/page")]],
    allowed: [["workers/x.ts", take("../lib/data/text")]],
  },
  "workers never import app.": {
    forbidden: [["workers/x.ts", takeType("../app/_state/store")]],
    allowed: [["workers/x.ts", take("./protocol")]],
  },
  "lib and workers know no React.": {
    forbidden: [["lib/data/x.ts", takeType("react")], ["workers/x.ts", take("next/navigation")], ["lib/data/x.test.ts", take("react-dom/client")]],
    allowed: [["app/x.tsx", take("react")], ["lib/data/x.ts", take("reactive-thing")]],
  },
  "The product does not import its tools.": {
    forbidden: [["lib/data/x.ts", take("../../tools/bench/measure")], ["app/x.ts", takeType("../e2e/support")]],
    allowed: [["lib/data/x.test.ts", take("../../tools/bench/measure")]],
  },
  "A browser has no Node modules.": {
    forbidden: [["lib/data/x.ts", take("node:fs")], ["app/x.ts", takeType("node:fs")]],
    allowed: [["lib/data/x.test.ts", take("node:fs")], ["lib/train/testing/x.ts", take("node:fs")], ["tools/x.ts", take("node:fs")]],
  },
  "app imports lib/train for its types only; the workers run it. What is said of runs is light, and allowed by name.": {
    forbidden: [["app/train/x.tsx", take("../../lib/train/sft/config")], ["app/x.ts", `import { type A } from "../lib/train/sft/config";\nexport type B = A;\n`]],
    allowed: [["app/x.ts", takeType("../lib/train/sft/config")], ["app/x.ts", take("../lib/data/text")], ["app/_engine/x.ts", take("../../lib/train/adapter/file")], ["app/train/x.tsx", take("../../lib/train/sft/dial")]],
  },
  "app imports the workers' types only; app/_engine starts them by `new Worker(new URL(…))`.": {
    forbidden: [["app/x.ts", take("../workers/protocol")], ["app/_engine/x.ts", take("../../workers/trainer.worker")], ["app/x.ts", take("../workers/transfer")]],
    allowed: [
      ["app/x.ts", takeType("../workers/protocol")],
      ["app/_engine/x.ts", take("../../workers/transfer")],
      ["app/_engine/x.ts", `export const start = () => new Worker(new URL("../../workers/trainer.worker.ts", import.meta.url), { type: "module" });\n`],
    ],
  },
  "Models and tokenizers run in the workers.": {
    forbidden: [["app/_engine/x.ts", take("@huggingface/transformers")]],
    allowed: [["lib/train/model/x.ts", take("@huggingface/transformers")]],
  },
  "What supports tests (testing/, *.test) is not for the product.": {
    forbidden: [["lib/train/sft/x.ts", take("../testing/reference")], ["workers/x.ts", take("../lib/data/text.test")]],
    allowed: [["lib/train/sft/x.test.ts", take("../testing/reference")]],
  },
};

describe("import layers", () => {
  it("has a case here for every rule", () => {
    expect(Object.keys(LAYERS).sort()).toEqual(layerRules.map(({ why }) => why).sort());
  });

  for (const [why, { forbidden, allowed }] of Object.entries(LAYERS)) {
    it(why, async () => {
      for (const [file, code] of forbidden) expect(await lint(file, code), `${file}: ${code}`).toContain(`house/layers: ${why}`);
      for (const [file, code] of allowed) expect(await lint(file, code), `${file}: ${code}`).toEqual([]);
    });
  }
});

describe("the other rules of the house", () => {
  const rulesOf = async (file: string, code: string) => (await lint(file, code)).map((line) => line.replace(/:.*/s, ""));

  it("exports by name, except where Next.js and configuration files want a default", async () => {
    const code = "const a = 1;\nexport default a;\n";
    for (const file of ["lib/data/x.ts", "workers/x.ts", "tools/x.mjs", "app/_engine/x.ts"]) expect(await rulesOf(file, code), file).toEqual(["no-restricted-syntax"]);
    expect(await rulesOf("lib/data/x.ts", "const a = 1;\nexport { a as default };\n")).toEqual(["no-restricted-syntax"]);
    for (const file of ["app/x/page.tsx", "x.config.ts"]) expect(await rulesOf(file, code), file).toEqual([]);
  });

  it("starts workers in app/_engine only", async () => {
    const code = `export const start = () => new Worker(new URL("../workers/x.worker.ts", import.meta.url));\n`;
    expect(await rulesOf("app/x.ts", code)).toEqual(["no-restricted-syntax"]);
    expect(await rulesOf("app/_engine/x.ts", code)).toEqual([]);
  });

  it("takes chance from a seed", async () => {
    const code = "export const a = Math.random();\n";
    for (const file of ["lib/data/x.ts", "workers/x.ts", "app/x.ts"]) expect(await rulesOf(file, code), file).toEqual(["no-restricted-properties"]);
    expect(await rulesOf("lib/data/x.ts", "export const a = Math.sqrt(2);\n")).toEqual([]);
  });

  it("keeps files to 300 lines, tests to 500", async () => {
    const lines = (n: number) => "export {};\n".repeat(n - 1) + "export {};";
    expect(await rulesOf("lib/data/x.ts", lines(300))).not.toContain("max-lines");
    expect(await rulesOf("lib/data/x.ts", lines(301))).toContain("max-lines");
    expect(await rulesOf("lib/data/x.test.ts", lines(500))).not.toContain("max-lines");
    expect(await rulesOf("lib/data/x.test.ts", lines(501))).toContain("max-lines");
  });
});
