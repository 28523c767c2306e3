import { describe, expect, it } from "vitest";
import { info, randomAdapter } from "../testing/adapter";
import { adapterCard } from "./card";

const adapter = randomAdapter(1);

describe("the card", () => {
  it("says what it learned from in counts, and where the loss lies, only where that is known", () => {
    const plain = adapterCard(adapter, info);
    expect(plain).not.toMatch(/examples learned from|confidence|What it wrote/);
    const card = adapterCard(adapter, info, { learnedFrom: { examples: 41, heldOut: 5 }, lossIntervals: { level: 0.95, base: [4, 4.2], tuned: [3.6, 3.8] } });
    expect(card).toContain("| examples learned from | 41 |\n| examples kept aside to check it | 5 |\n");
    expect(card).toContain("| base | 4.1000 (4.0000–4.2000) | 60.34 (54.60–66.69) | 1.5710 (1.5327–1.6093) |");
    expect(card).toContain("| with this adapter | 3.7000 (3.6000–3.8000) | 40.45 (36.60–44.70) | 1.4100 (1.3719–1.4481) |");
    expect(card).toContain("with 95 % confidence");
  });

  it("holds texts only where they are given, and nothing in them ends their block", () => {
    const hostile = "one\n```\n# two\n````\n<script>three</script>";
    const card = adapterCard(adapter, info, { texts: { prompt: "Continue:\n\nthe gate", before: "once", after: hostile } });
    expect(card).toContain("## What it wrote\n\nAsked:\n\n```text\nContinue:\n\nthe gate\n```\n\nBefore it learned:\n\n```text\nonce\n```\n");
    expect(card).toContain(`With this adapter:\n\n\`\`\`\`\`text\n${hostile}\n\`\`\`\`\`\n\n## Open it in Python`);
    expect(adapterCard(adapter, info, { texts: { prompt: "p", after: "a" } })).not.toContain("Before it learned");
  });
});
