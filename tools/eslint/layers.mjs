/**
 * The house's import rules (which folder may import which) as one table and an
 * ESLint rule that reads it. Relative imports are resolved to paths from the
 * repository's root, so a rule is about folders and not about how many `../`
 * lead there. It does not resolve packages or look at what is on the disk.
 */
import { posix, relative, sep } from "node:path";

/**
 * @typedef {object} Target what an import leads to; one of the two is set
 * @property {string} path from the root, without extension; "" for a package
 * @property {string} name of a package with its subpath; "" for a path
 */
/**
 * @typedef {object} LayerRule
 * @property {string} why the message
 * @property {string[]} from folders whose files are bound
 * @property {string[]} [except] folders inside `from` that are not
 * @property {(target: Target, file: string) => boolean} forbids
 * @property {boolean} [typesToo] `import type` is forbidden as well
 * @property {boolean} [testsToo] tests and their support are bound as well
 */

/** @param {string} path @param {string[]} folders */
const isIn = (path, folders) => folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
/** @param {string[]} folders @returns {LayerRule["forbids"]} */
const paths = (...folders) => (target) => isIn(target.path, folders);
/** @param {string[]} names @returns {LayerRule["forbids"]} */
const packages = (...names) => (target) => isIn(target.name, names);
/** @param {string[]} folders @returns {LayerRule["forbids"]} */
const anythingBut = (...folders) => (target) => !isIn(target.path, folders);
const isOnnxRuntime = (/** @type {Target} */ { name }) => name.startsWith("onnxruntime-");

/**
 * What says how a run is set, predicted, read, compared and written down: pure and light, and what forms and curves on
 * the page derive from. It knows no tensor, no tokenizer and no runtime.
 */
const SAID_OF_RUNS = ["compare-runs", "config-file", "dial", "keep", "predict-words", "reading", "run-data", "run-name", "setting-errors", "setting-words", "settings"].map((name) => `lib/train/sft/${name}`);

const METHODS = ["lib/train/sft", "lib/train/reward", "lib/train/grpo"];

/** @type {LayerRule[]} */
export const layerRules = [
  { why: "lib/core imports nothing but itself.", from: ["lib/core"], typesToo: true, forbids: anythingBut("lib/core") },
  { why: "lib/train/graph imports only lib/core.", from: ["lib/train/graph"], typesToo: true, forbids: anythingBut("lib/core", "lib/train/graph") },
  { why: "Only lib/train/runtime imports onnxruntime.", from: ["app", "lib", "workers"], except: ["lib/train/runtime"], typesToo: true, testsToo: true, forbids: isOnnxRuntime },
  { why: "lib/train/runtime knows no model and no method.", from: ["lib/train/runtime"], typesToo: true, forbids: paths("lib/train/model", "lib/train/generate", "lib/train/loop", ...METHODS) },
  {
    why: "sft, reward and grpo never import one another.",
    from: METHODS,
    typesToo: true,
    forbids: ({ path }, file) => METHODS.some((method) => isIn(path, [method]) && !isIn(file, [method])),
  },
  { why: "lib/train never imports lib/eval: no training step sees an evaluator.", from: ["lib/train"], typesToo: true, forbids: paths("lib/eval") },
  { why: "lib imports neither app nor workers.", from: ["lib"], typesToo: true, testsToo: true, forbids: paths("app", "workers") },
  { why: "workers never import app.", from: ["workers"], typesToo: true, testsToo: true, forbids: paths("app") },
  { why: "lib and workers know no React.", from: ["lib", "workers"], typesToo: true, testsToo: true, forbids: packages("react", "react-dom", "next") },
  { why: "The product does not import its tools.", from: ["app", "lib", "workers"], typesToo: true, forbids: paths("tools", "e2e") },
  { why: "A browser has no Node modules.", from: ["app", "lib", "workers"], typesToo: true, forbids: ({ name }) => name.startsWith("node:") },
  {
    why: "app imports lib/train for its types only; the workers run it. What is said of runs is light, and allowed by name.",
    from: ["app"],
    except: ["app/_engine"],
    forbids: ({ path }) => isIn(path, ["lib/train"]) && !isIn(path, SAID_OF_RUNS),
  },
  {
    why: "app imports the workers' types only; app/_engine starts them by `new Worker(new URL(…))`.",
    from: ["app"],
    // How errors cross is set up on both sides of the wire.
    forbids: ({ path }, file) => isIn(path, ["workers"]) && !(path === "workers/transfer" && isIn(file, ["app/_engine"])),
  },
  { why: "Models and tokenizers run in the workers.", from: ["app"], forbids: packages("@huggingface/transformers") },
  {
    why: "What supports tests (testing/, *.test) is not for the product.",
    from: ["app", "lib", "workers"],
    typesToo: true,
    forbids: ({ path }) => isTestSupport(path),
  },
];

/** @param {string} path with or without extension */
const isTestSupport = (path) => /\.test(\.tsx?)?$|\/testing(\/|$)/.test(path);

/** @param {string} file from the root @param {string} specifier @returns {Target} */
function resolve(file, specifier) {
  if (!specifier.startsWith(".")) return { path: "", name: specifier };
  return { path: posix.join(posix.dirname(file), specifier).replace(/\.(tsx?|m?js)$/, ""), name: "" };
}

/**
 * @param {string} file from the root, with `/`
 * @param {string} specifier
 * @param {boolean} typeOnly erased on compiling (`import type`, not `import { type … }`)
 * @returns {string[]} why each broken rule forbids the import
 */
export function brokenRules(file, specifier, typeOnly) {
  const target = resolve(file, specifier);
  return layerRules
    .filter(({ from, except = [], typesToo = false, testsToo = false, forbids }) =>
      isIn(file, from) && !isIn(file, except) && (typesToo || !typeOnly) && (testsToo || !isTestSupport(file)) && forbids(target, file))
    .map(({ why }) => why);
}

/** @type {import("eslint").Rule.RuleModule} */
const layers = {
  meta: { type: "problem", schema: [], messages: { layer: "{{why}}" } },
  create(context) {
    const file = relative(context.cwd, context.filename).split(sep).join("/");
    /** @param {unknown} source @param {unknown} kind @param {import("estree").Node} node */
    const check = (source, kind, node) => {
      const specifier = /** @type {{ value?: unknown } | null | undefined} */ (source)?.value;
      if (typeof specifier !== "string") return;
      for (const why of brokenRules(file, specifier, kind === "type")) context.report({ node, messageId: "layer", data: { why } });
    };
    /** @typedef {import("estree").Node & { source?: unknown, importKind?: unknown, exportKind?: unknown }} Node */
    return {
      ImportDeclaration: (/** @type {Node} */ node) => { check(node.source, node.importKind, node); },
      ExportNamedDeclaration: (/** @type {Node} */ node) => { check(node.source, node.exportKind, node); },
      ExportAllDeclaration: (/** @type {Node} */ node) => { check(node.source, node.exportKind, node); },
      ImportExpression: (/** @type {Node} */ node) => { check(node.source, "value", node); },
      TSImportType: (/** @type {Node} */ node) => { check(node.source, "type", node); },
    };
  },
};

/** @type {import("eslint").ESLint.Plugin} */
export const house = { rules: { layers } };
