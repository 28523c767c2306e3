import "fake-indexeddb/auto";
import { zipSync } from "fflate";
import { deleteDB } from "idb";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DuctusError } from "../lib/core/errors";
import { prose } from "../lib/data/testing/prose";
import { closeDatabase, DATABASE_NAME } from "../lib/store/db";
import * as documentStore from "../lib/store/documents";
import { editDocument, excludeDocuments, listDocuments, usedDocuments } from "../lib/store/documents";
import { deleteHand, getHand, listHands } from "../lib/store/hands";
import type { ImporterEvent, ImportRequest, ImportResult, SourceFile } from "./importer-protocol";
import { nameFor, takeIn } from "./importing";
import { lookOver } from "./looking";

vi.mock("../lib/store/documents", { spy: true });

afterEach(async () => {
  vi.mocked(documentStore.addDocuments).mockReset();
  await closeDatabase();
  await deleteDB(DATABASE_NAME);
});

const file = (path: string, content: string | Uint8Array<ArrayBuffer>): SourceFile => ({ path, file: new File([content], path.split("/").at(-1)!) });
const open = () => ({ reading: new AbortController(), looking: new AbortController() });
async function take(request: Partial<ImportRequest>, onEvent: (event: ImporterEvent) => void = () => undefined, stop = open()): Promise<ImportResult & { events: ImporterEvent[] }> {
  const events: ImporterEvent[] = [];
  const result = await takeIn({ handId: null, files: [], ...request }, { reading: stop.reading.signal, looking: stop.looking.signal }, (event) => {
    events.push(event);
    onEvent(event);
  });
  return { ...result, events };
}
const said = (events: readonly ImporterEvent[]) => events.flatMap((event) => (event.type === "said" ? [...event.leftOut.map(({ name, reason }) => `${name}: ${reason}`), ...event.faults.map(({ name, error }) => `${name}: ${error.code}`)] : []));
const HARBOUR = prose("harbour", 30), ORCHARD = prose("orchard", 30);
const LETTER = "It has rained for a week here, and the river stands in the lower field.\n\nCome when it is dry, and bring the boots that you left with us in March.\n\nCopyright © 2021 Ann Lee. All rights reserved.\n";

describe("takeIn", () => {
  it("makes a hand of files and folders, frees and flags its pieces, and keeps copies in one group", async () => {
    const draft = HARBOUR.replace(/harbour/g, "quay");
    const zip = zipSync({ "letters/rain.txt": new TextEncoder().encode(LETTER), "empty.txt": new Uint8Array() });
    const { handId, added, events, ...rest } = await take({ files: [file("my_notes/harbour.txt", HARBOUR), file("my_notes/draft.txt", draft), file("all.zip", zip)] });
    expect(rest).toEqual({ stopped: false, error: null, unlooked: null });
    const hand = (await getHand(handId!))!;
    expect(hand.name).toBe("harbour");
    expect(added).toBe(3);
    const documents = await listDocuments(hand.id);
    const [first, second, letter] = documents as [typeof documents[0], typeof documents[0], typeof documents[0]];
    expect(first.path).toBe("my_notes/harbour.txt");
    expect(letter).toMatchObject({ format: "text", path: "all.zip/letters/rain.txt", look: { removed: [{ what: "rights" }] } });
    expect(letter.text).not.toContain("Copyright");
    expect(letter.original).toContain("Copyright");
    expect(second.look!.repeats).toMatchObject({ earlierId: first.id });
    expect(hand.groups).toEqual([[first.id, second.id]]);
    expect(usedDocuments(documents)).toHaveLength(2);
    expect(said(events)).toEqual(["empty.txt: file/empty"]);
    expect(events.filter(({ type }) => type === "file")).toEqual([0, 1, 2].map((index) => ({ type: "file", index })));
    expect(events.filter((event) => event.type === "progress" && event.progress.phase === "looking").length).toBeGreaterThan(0);
  });

  it("does not take again what is here, freed or edited though it was", async () => {
    const { handId } = await take({ files: [file("rain.txt", LETTER), file("harbour.txt", HARBOUR)] });
    const [letter, harbour] = await listDocuments(handId!);
    await editDocument(harbour!.id, `${HARBOUR} And so on.`);
    const again = await take({ handId, files: [file("rain-2.txt", LETTER), file("harbour-2.txt", HARBOUR)], pasted: letter!.text });
    expect(again.added).toBe(0);
    expect(said(again.events)).toHaveLength(3);
    expect(await listDocuments(handId!)).toHaveLength(2);
  });

  it("keeps what was read when it is stopped, and says so", async () => {
    const stop = open();
    const files = Array.from({ length: 40 }, (_, i) => file(`${i}.txt`, prose(`topic${i}`, 3)));
    const { handId, added, stopped } = await take({ files }, (event) => {
      if (event.type === "file" && event.index === 5) stop.reading.abort(new DOMException("stopped", "AbortError"));
    }, stop);
    expect(stopped).toBe(true);
    expect(added).toBeGreaterThan(3);
    expect(added).toBeLessThan(10);
    const documents = await listDocuments(handId!);
    expect(documents).toHaveLength(added);
    expect(documents.every(({ look }) => look !== undefined)).toBe(true);
  });

  it("leaves pieces as they were read where the look is stopped", async () => {
    const stop = open();
    const { added, stopped, unlooked, handId } = await take({ files: [file("a.txt", HARBOUR)] }, (event) => {
      if (event.type === "progress" && event.progress.phase === "looking") stop.looking.abort(new DOMException("stopped", "AbortError"));
    }, stop);
    expect({ added, stopped, unlooked }).toEqual({ added: 1, stopped: true, unlooked: null });
    expect((await listDocuments(handId!))[0]).not.toHaveProperty("look");
  });

  it("ends where there is no room, and keeps what was stored before", async () => {
    const { addDocuments: real } = await vi.importActual<typeof documentStore>("../lib/store/documents");
    let batches = 0;
    vi.mocked(documentStore.addDocuments).mockImplementation((...batch) => (++batches > 2 ? Promise.reject(new DuctusError("store/full", "Full.", "Free some.")) : real(...batch)));
    const { handId, added, error, events } = await take({ files: ["a", "b", "c", "d", "e"].map((name) => file(`${name}.txt`, prose(name, 3))) });
    expect({ added, code: error?.code }).toEqual({ added: 2, code: "store/full" });
    expect(await listDocuments(handId!)).toHaveLength(2);
    expect(said(events)).toEqual([]);
  });

  it("makes no hand where nothing can be read, and says why", async () => {
    const { handId, added, events } = await take({ files: [file("blank.txt", " \n ")], pasted: " " });
    expect({ handId, added }).toEqual({ handId: null, added: 0 });
    expect(said(events)).toEqual(["Pasted text: file/empty", "blank.txt: file/empty"]);
    expect(await listHands()).toEqual([]);
  });

  it("ends with what went wrong where the hand is deleted meanwhile", async () => {
    const { handId } = await take({ pasted: ORCHARD });
    await deleteHand(handId!);
    expect((await take({ handId, files: [file("a.txt", HARBOUR)] })).error?.code).toBe("store/missing");
  });
});

describe("lookOver", () => {
  it("follows no suggestion that the person has overruled, and writes nothing where it finds nothing new", async () => {
    const { handId } = await take({ files: [file("a.txt", HARBOUR), file("b.txt", HARBOUR.replace(/harbour/g, "quay")), file("c.txt", ORCHARD)] });
    const out = (await listDocuments(handId!)).find(({ excluded }) => excluded !== undefined)!;
    await excludeDocuments(handId!, new Map([[out.id, null]]));
    const before = await listDocuments(handId!);
    await lookOver(handId!, new AbortController().signal);
    expect(await listDocuments(handId!)).toEqual(before);
    expect(usedDocuments(before)).toHaveLength(3);
  });
});

describe("nameFor", () => {
  it.each([["night_bread.txt", "night bread"], [undefined, "My writing"], [`${"word ".repeat(20)}.txt`, "word word word word word word word word word…"]])("%s", (given, name) => expect(nameFor(given, "My writing")).toBe(name));
});
