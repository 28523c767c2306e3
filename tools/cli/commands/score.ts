import type { Command } from "./command";
export const score: Command = { name: "score", summary: "", options: [], details: "", run: () => Promise.reject(new Error("x")) };
