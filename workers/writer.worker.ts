/**
 * The writing worker: texts by the base and by adapters, scores on the test
 * part, adapters in and out. Adapters and documents come from IndexedDB; nothing
 * is kept here but the loaded model and the last generator.
 */
import { expose } from "comlink";
import { exportFile, exportPeft, importAdapter } from "./adapter-files";
import { compareReport, measure } from "./measuring";
import type { WriterApi } from "./protocol";
import { reportRequests } from "./requests";
import { registerTransferHandlers } from "./transfer";
import { stopWriting, write } from "./writing";

const api: WriterApi = { write, measure, compareReport, importAdapter, exportFile, exportPeft, stop: stopWriting };

reportRequests();
registerTransferHandlers();
expose(api);
