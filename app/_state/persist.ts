/**
 * Asks the browser to keep what lies here when the disk fills up, once in a
 * visit: when the first thing is stored that cannot be had again. A browser may
 * put the question to the person, who is not to be asked twice.
 */
import { askToPersist } from "../../lib/store/room";

let asked: Promise<boolean> | null = null;

export const askToKeep = (): Promise<boolean> => (asked ??= askToPersist());
