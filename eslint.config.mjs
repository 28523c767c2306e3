import { defineConfig } from "eslint/config";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";
import { house } from "./tools/eslint/layers.mjs";

/** Where files must have one export by default, by the rules of their tools. */
const CONFIGURATION = ["*.config.ts", "*.config.mjs"];
const SOURCES = ["**/*.ts", "**/*.tsx", "**/*.mjs"];

const noDefaultExport = [
  { selector: "ExportDefaultDeclaration", message: "Export by name." },
  { selector: "ExportSpecifier[exported.name='default']", message: "Export by name." },
];
const noWorker = { selector: "NewExpression[callee.name='Worker']", message: "Only app/_engine starts workers." };

export default defineConfig(
  { ignores: [".next/", "out/", "public/", "test-results/", "screenshots/", "playwright-report/", "next-env.d.ts"] },
  {
    files: SOURCES,
    extends: [tseslint.configs.strictTypeChecked],
    plugins: { house },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    languageOptions: { parserOptions: { project: ["tsconfig.json", "tsconfig.lib.json", "tsconfig.tools.json"], tsconfigRootDir: import.meta.dirname } },
    rules: {
      "house/layers": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "max-lines": ["error", { max: 300 }],
      "no-restricted-syntax": ["error", ...noDefaultExport],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true, allowArray: true }],
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-meaningless-void-operator": "off",
      // An async function without await turns what it throws into a rejection.
      "@typescript-eslint/require-await": "off",
      // Spreading a string takes it apart by code points, as is meant where it is done.
      "@typescript-eslint/no-misused-spread": ["error", { allow: [{ from: "lib", name: "string" }] }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true }],
      // Loops over typed arrays know their bounds; noUncheckedIndexedAccess does not.
      "@typescript-eslint/no-non-null-assertion": "off",
      // A type parameter used once documents a boundary's validated type.
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
    },
  },
  {
    files: ["app/**", "lib/**", "workers/**"],
    rules: {
      "no-restricted-properties": ["error", { object: "Math", property: "random", message: "Everything random takes a seed: lib/core/random.ts." }],
    },
  },
  {
    files: ["app/**"],
    rules: { "no-restricted-syntax": ["error", noWorker] },
  },
  { files: ["app/**/*.tsx", "app/_state/**"], extends: [reactHooks.configs.flat.recommended] },
  {
    // Where browsers are asked what they can do, which their types take for granted.
    files: ["app/_engine/**", "lib/store/**", "lib/train/runtime/**"],
    rules: {
      "@typescript-eslint/no-unnecessary-condition": "off",
      "@typescript-eslint/no-unnecessary-boolean-literal-compare": "off",
    },
  },
  { files: ["app/_engine/**"], rules: { "no-restricted-syntax": ["error", ...noDefaultExport] } },
  {
    // JavaScript, whose casts (in comments) these rules do not see; tsc does.
    files: ["**/*.mjs"],
    rules: { "@typescript-eslint/no-unsafe-assignment": "off", "@typescript-eslint/no-unsafe-return": "off" },
  },
  { files: CONFIGURATION, rules: { "no-restricted-syntax": "off" } },
  { files: ["**/*.test.ts", "**/*.test.tsx", "e2e/**"], rules: { "max-lines": ["error", { max: 500 }] } },
);
