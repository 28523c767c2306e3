import type { Command } from "./command";
export const sft: Command = { name: "sft", summary: "", options: [], details: "", run: () => Promise.reject(new Error("x")) };
