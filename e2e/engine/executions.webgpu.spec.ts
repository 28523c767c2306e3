import { executionsAgree } from "./executions.checks";

executionsAgree("webgpu");
