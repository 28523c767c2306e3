import { nothingLeaks } from "./leaks.checks";

nothingLeaks("wasm");
