import "fake-indexeddb/auto";
import { deleteDB } from "idb";
import { afterEach, describe, expect, it } from "vitest";
import { closeDatabase, DATABASE_NAME } from "./db";
import { chooseModel, createHand, renameHand } from "./hands";
import { forgetModel, getModel, listModels, saveModel } from "./models";
import { code, model, put } from "./testing/records";

afterEach(async () => {
  await closeDatabase();
  await deleteDB(DATABASE_NAME);
});

describe("models", () => {
  it("are listed in the order they came; the same weights take the place of what they were held as before", async () => {
    expect(await saveModel({ ...model("1"), addedAt: 5 })).toBeNull();
    await saveModel({ ...model("2"), addedAt: 4, licence: "apache-2.0" });
    expect((await listModels()).map(({ id }) => id[0])).toEqual(["2", "1"]);
    expect(await saveModel({ ...model("1"), storage: "q8", folder: "f".repeat(32) })).toBe("1".repeat(32)); // its files are free
    expect(await getModel("1".repeat(64))).toMatchObject({ storage: "q8", folder: "f".repeat(32) });
    expect(await forgetModel("1".repeat(64))).toBe("f".repeat(32));
    expect(await getModel("1".repeat(64))).toBeNull();
    expect(await forgetModel("1".repeat(64))).toBeNull();
  });

  it("refuse a folder that could lead elsewhere", async () => {
    await put("models", { ...model("1"), folder: "../documents" });
    expect(await code(getModel("1".repeat(64)))).toBe("store/damaged");
    expect(await forgetModel("1".repeat(64))).toBeNull(); // gone, and nothing is deleted for it
  });

  it("are remembered by a hand", async () => {
    const { id } = await createHand({ name: "A", source: "own" });
    const ref = { id: "1".repeat(64), name: "Qwen2.5-0.5B" };
    expect((await chooseModel(id, ref)).model).toEqual(ref);
    expect((await renameHand(id, "B")).model).toEqual(ref);
    expect("model" in (await chooseModel(id, null))).toBe(false);
  });
});
