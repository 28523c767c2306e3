/**
 * Imports damaged and hostile files one after another, in a thread of its own
 * that the test can end, and tells of each before and after it. Never part of
 * the product.
 */
import { parentPort, workerData } from "node:worker_threads";
import { carryOut, type ImportFuzzOrder } from "./import-fuzz-order";

void carryOut(workerData as ImportFuzzOrder, (report) => parentPort?.postMessage(report));
