/** What a run was made with: device and reason, recipe, data; folded away. */
import type { ExecutionReport } from "../../lib/store/types";
import { valueWords } from "../../lib/train/sft/setting-words";
import { SETTINGS, valueOf } from "../../lib/train/sft/settings";
import { deviceWords, whyNotQuicker } from "../_components/device-words";
import { count } from "../_components/format";
import { bitsWords } from "../_components/model-words";
import type { RunView } from "./run-view";

export function Used({ view: { live, stored } }: { view: RunView }) {
  const device = live?.device ?? stored?.device ?? null;
  const execution = live?.execution ?? stored?.execution ?? null;
  const config = stored?.config;
  if (device === null && config === undefined) return null;
  const why = device && whyNotQuicker(device);
  const rows: [string, string][] = [];
  if (config !== undefined && stored !== null) {
    rows.push(["Model", stored.modelId], ["Method", "SFT with LoRA"]);
    if (stored.start !== undefined) rows.push(["Began with", stored.start.name]);
    if (stored.writing !== undefined) rows.push(["Words", count(stored.writing.words)]);
    for (const { key, label, idle } of SETTINGS) if ((idle?.(config) ?? null) === null) rows.push([label, valueWords(key, valueOf(config, key))]);
    if (stored.trainExamples > 0) rows.push(["Examples", `${count(stored.trainExamples)}, ${count(stored.heldOutExamples)} kept aside`]);
    if (stored.dataHash !== "") rows.push(["Data", stored.dataHash.slice(0, 12)]);
  }
  return (
    <section className="margin-part">
      <h2>What it was made with</h2>
      {device !== null && <p className="first-letter:uppercase">{deviceWords(device)}</p>}
      {why !== null && why.words !== "" && <p className="small quiet">{why.words}</p>}
      {why !== null && why.details !== "" && (
        <details className="folded">
          <summary className="small">What the browser said</summary>
          <code className="code code-wrap">{why.details}</code>
        </details>
      )}
      {execution !== null && <p className="small quiet" data-testid="execution">{executionWords(execution)}</p>}
      {rows.length > 0 && (
        <details className="folded">
          <summary className="small">Recipe</summary>
          <dl className="facts small">
            {rows.map(([name, value]) => <div key={name} className="contents-row"><dt>{name}</dt><dd>{value}</dd></div>)}
          </dl>
        </details>
      )}
    </section>
  );
}

function executionWords({ kind, recompute, storage }: ExecutionReport): string {
  const how = kind === "whole" ? "The whole model at once" : `Streamed, layer by layer${recompute ? "; each layer computed twice to save memory" : ""}`;
  return `${how}; ${bitsWords(storage)} weights.`;
}
