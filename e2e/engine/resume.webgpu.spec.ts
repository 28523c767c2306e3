import { resumesExactly } from "./resume.checks";

const long = process.env["DUCTUS_LONG"] === "1";
resumesExactly("webgpu", long ? 100 : 9, long ? 10 : 3); // a software adapter takes its time
