import { nothingLeaks } from "./leaks.checks";

nothingLeaks("webgpu");
