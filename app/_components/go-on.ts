/** Whether a run that was cut off has a step to go on from. */
import type { Run } from "../../lib/store/types";

export const canGoOn = (run: Run): run is Run & { checkpointStep: number } => run.checkpointStep !== undefined && run.checkpointStep < run.totalSteps;
