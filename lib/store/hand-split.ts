/** How a hand's writing is divided: in one place for all who need it. */
import { type Split, splitDocuments } from "../data/split";
import { splitOptions } from "./hands";
import type { Hand, StoredDocument } from "./types";

/** @param documents those that are used */
export const splitOf = (hand: Hand, documents: readonly StoredDocument[]): Split => splitDocuments(documents, hand.seed, splitOptions(hand));
