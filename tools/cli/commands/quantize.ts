import type { Command } from "./command";
export const quantize: Command = { name: "quantize", summary: "", options: [], details: "", run: () => Promise.reject(new Error("x")) };
