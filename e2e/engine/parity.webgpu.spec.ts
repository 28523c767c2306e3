import { parityWithNode } from "./parity.checks";

parityWithNode("webgpu", 1);
