import { quantizedProducts } from "./quantized.checks";

quantizedProducts("webgpu");
