/** Stands in a browser's bundle for what only Node can load (next.config.ts). */
export {};
