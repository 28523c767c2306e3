import { describe, expect, it } from "vitest";
import type { HubListing } from "../train/model/hub";
import { opfsSink } from "../train/model/hub-sink";
import { memoryDirectory } from "../train/testing/opfs";
import { writeNote } from "./begin-download";
import { describeDownload } from "./downloads";

const REPO = "maker/little-model";
const hash = (digit: string) => ({ kind: "sha256", hex: digit.repeat(64) }) as const;
const listing: HubListing = { repo: REPO, commit: "c".repeat(40), licence: "apache-2.0", files: [{ name: "config.json", bytes: 10, hash: hash("a") }, { name: "model.safetensors", bytes: 90, hash: hash("b") }] };

describe("describeDownload", () => {
  it("counts what has come, and calls nothing whole that is only long enough", async () => {
    const directory = memoryDirectory();
    await writeNote(directory.handle, listing);
    expect(await describeDownload(REPO, directory.handle)).toEqual({ repo: REPO, listing, doneBytes: 0, totalBytes: 100, whole: false });
    for (const [i, file] of listing.files.entries()) {
      const sink = (await opfsSink(directory.handle, file))!;
      await sink.begin({ hash: file.hash.hex, etag: null });
      await sink.append(new Uint8Array(file.bytes));
      expect(await describeDownload(REPO, directory.handle)).toMatchObject({ doneBytes: i === 0 ? 10 : 100, whole: false });
      await sink.finish();
      await sink.close();
    }
    expect(await describeDownload(REPO, directory.handle)).toMatchObject({ doneBytes: 100, totalBytes: 100, whole: true });
  });

  it("lists what says nothing of itself as a part that can only be deleted", async () => {
    const directory = memoryDirectory();
    expect(await describeDownload(REPO, directory.handle)).toEqual({ repo: REPO, listing: null, doneBytes: 0, totalBytes: 0, whole: false });
    for (const note of [{ ...listing, files: [{ ...listing.files[0]!, name: "../config.json" }] }, { ...listing, commit: "main" }] as HubListing[]) {
      await writeNote(directory.handle, note);
      expect(await describeDownload(REPO, directory.handle)).toMatchObject({ listing: null, whole: false });
    }
  });
});
