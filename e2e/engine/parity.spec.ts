import { parityWithNode } from "./parity.checks";

parityWithNode("wasm", 1);
parityWithNode("wasm", 2);
