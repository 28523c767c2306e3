/** How the adapter is opened in Python, and where the base model is to be had. */
import { CopyButton } from "../_components/copy-button";
import { EMBEDDED_ID } from "../_components/model-words";
import { pythonLines } from "./python";

/** What transformers needs of the model that comes with the site. */
const BASE_FILES = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"] as const;

export function Elsewhere({ modelId }: { modelId: string }) {
  return (
    <section className="share-section" aria-labelledby="python">
      <h2 id="python" className="section-title">Open it in Python</h2>
      {modelId === EMBEDDED_ID ? (
        <>
          <p className="mt-2 max-w-[38rem]">The .zip is a folder as PEFT writes it. It needs the base model beside it, in a folder named <code>{modelId}</code>:</p>
          <ul className="base-files">
            {BASE_FILES.map((name) => <li key={name}><a className="link" href={`/models/${modelId}/${name}`} download={name}>{name}</a></li>)}
          </ul>
        </>
      ) : (
        <p className="mt-2 max-w-[38rem]">The .zip is a folder as PEFT writes it. It needs the base model beside it: the folder <code className="[overflow-wrap:anywhere]">{modelId}</code> that you brought in.</p>
      )}
      <code className="code mt-4" tabIndex={0}>{pythonLines(modelId)}</code>
      <div className="mt-2"><CopyButton text={pythonLines(modelId)} what="these lines" /></div>
      <p className="small quiet mt-2 max-w-[38rem]">The folder’s README.md is its card: how it was trained, what was measured before and after, which model it belongs to, and these lines, with what an adapter with tokens of its own needs besides.</p>
    </section>
  );
}
