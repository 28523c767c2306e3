import { executionsAgree } from "./executions.checks";

executionsAgree("wasm");
