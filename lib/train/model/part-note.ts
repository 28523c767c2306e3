/** Ends the name of the note beside a file that is not whole yet (hub-sink.ts); by itself, since the pages look for it and load no more than this. */
export const PART_NOTE = ".part";
