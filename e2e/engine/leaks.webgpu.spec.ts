import { noTensorLeaks, nothingLeaks } from "./leaks.checks";

// The runtime forgets its compiled kernels with its last session: each cycle costs a software adapter seconds.
nothingLeaks("webgpu", process.env["DUCTUS_LONG"] === "1" ? 100 : 3, 2);
noTensorLeaks("webgpu", process.env["DUCTUS_LONG"] === "1" ? 100 : 30);
