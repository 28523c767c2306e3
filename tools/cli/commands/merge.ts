import type { Command } from "./command";
export const merge: Command = { name: "merge", summary: "", options: [], details: "", run: () => Promise.reject(new Error("x")) };
