import { quantizedProducts } from "./quantized.checks";

quantizedProducts("wasm");
