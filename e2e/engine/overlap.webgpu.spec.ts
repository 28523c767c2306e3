import { runsTakeTurns } from "./overlap.checks";

runsTakeTurns("webgpu");
