import { expect, it } from "vitest";
import { toReplyMessages } from "./reply";

const turn = (author: string, text: string) => ({ author, text });

it("joins what one side wrote in a row, and begins with the others", () => {
  const turns = [turn("Ida", "so"), turn("Ben", "are you there?"), turn("Tom", " or not "), turn("Ida", "yes"), turn("Ida", "  "), turn("Ida", "come up"), turn("Ben", "coming")];
  expect(toReplyMessages(turns, "Ida")).toEqual([
    { role: "user", content: "are you there?\nor not" },
    { role: "assistant", content: "yes\ncome up" },
    { role: "user", content: "coming" },
  ]);
});

it("gives nothing where nobody else wrote", () => {
  expect(toReplyMessages([turn("Ida", "hello?"), turn("Ida", "anyone")], "Ida")).toEqual([]);
  expect(toReplyMessages([], "Ida")).toEqual([]);
});
