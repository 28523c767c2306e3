/**
 * Reads a JSONL file: an object a line, checked against a schema. An error names
 * the file and the line. Empty lines are passed over.
 */
import { basename } from "node:path";
import type * as z from "zod";
import { DuctusError } from "../../lib/core/errors";
import { readText } from "./paths";

export interface Row<T> {
  /** From 1. */
  line: number;
  value: T;
}

/**
 * @param forms what a line may hold, for the message
 * @throws DuctusError `data/json-line` on a line that is not JSON or not of the form, `data/empty`, and those of readText
 */
export function readJsonLines<T>(path: string, schema: z.ZodType<T>, forms: string): Row<T>[] {
  const rows: Row<T>[] = [];
  for (const [index, text] of readText(path).split("\n").entries()) {
    if (text.trim() === "") continue;
    const broken = (fault: string, details: string) => new DuctusError("data/json-line", `Line ${index + 1} of ${basename(path)} ${fault}.`, `Each line must be a JSON object: ${forms}.`, { details });
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw broken("is not JSON", String(error));
    }
    const parsed = schema.safeParse(value);
    if (!parsed.success) throw broken("does not have the right form", `It is ${described(value)}.`);
    rows.push({ line: index + 1, value: parsed.data });
  }
  if (rows.length === 0) throw new DuctusError("data/empty", `${basename(path)} holds no line.`, `Each line must be a JSON object: ${forms}.`);
  return rows;
}

/** What a value is made of, without what it says. */
function described(value: unknown, depth = 0): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : depth > 2 ? "a list" : `a list of ${described(value[0], depth + 1)}`;
  if (typeof value !== "object" || value === null) return value === null ? "null" : `a ${typeof value}`;
  if (depth > 1) return "an object";
  const names = Object.entries(value).slice(0, 20).map(([name, inner]) => `${JSON.stringify(name.slice(0, 40))}: ${described(inner, depth + 1)}`);
  return names.length === 0 ? "an empty object" : `{${names.join(", ")}}`;
}
