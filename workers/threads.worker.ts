/** Times the processor path with one count of threads; the count is settled for a worker by its first session, so each is timed in a worker of its own. */
import { expose } from "comlink";
import { timeBackend } from "../lib/train/runtime/calibrate";
import { openWasm } from "../lib/train/runtime/web";
import type { ThreadsApi } from "./protocol";
import { reportRequests } from "./requests";
import { registerTransferHandlers } from "./transfer";

const api: ThreadsApi = { time: async (threads) => timeBackend(await openWasm(threads)) };

reportRequests();
registerTransferHandlers();
expose(api);
