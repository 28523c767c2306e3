import type { Command } from "./command";
export const generate: Command = { name: "generate", summary: "", options: [], details: "", run: () => Promise.reject(new Error("x")) };
