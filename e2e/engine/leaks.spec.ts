import { noTensorLeaks, nothingLeaks } from "./leaks.checks";

nothingLeaks("wasm", process.env["DUCTUS_LONG"] === "1" ? 100 : 30, 10);
noTensorLeaks("wasm", 100);
