/** Imports damaged and hostile files in a process of its own, which its parent can end: takes one order as a message, and answers with reports. */
import { carryOut, type ImportFuzzOrder } from "../../../lib/data/testing/import-fuzz-order";

process.once("message", (order: ImportFuzzOrder) => {
  void carryOut(order, (report) => process.send?.(report)).finally(() => process.disconnect());
});
