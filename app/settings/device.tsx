"use client";
/** What does the work and why, the person's choice, and the self-test on request. */
import { useEffect, useState } from "react";
import type { DeviceTest } from "../../workers/keeper-protocol";
import { CopyButton } from "../_components/copy-button";
import { ErrorNote } from "../_components/error-note";
import { graphicsProcessor, lookAtDevice, type DeviceChoice, type DeviceOutlook } from "../_engine/device";
import { testDevice } from "../_engine/self-test";
import { chooseDevice, deviceChoice, openDeviceChoice } from "../_state/device-choice";
import { isActive, run } from "../_state/run";
import { useStore } from "../_state/use-store";
import { deviceFacts, testDetails, testWords } from "./device-facts";

const CHOICES: [value: DeviceChoice, name: string][] = [["auto", "Whichever is better"], ["webgpu", "Graphics processor"], ["wasm", "Processor"]];

export function Device() {
  const chosen = useStore(deviceChoice, (d) => d.value);
  const [outlook, setOutlook] = useState<DeviceOutlook | null>(null);
  const [gpu, setGpu] = useState<"real" | "emulated" | "none" | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(openDeviceChoice, []);
  useEffect(() => {
    let gone = false;
    void Promise.all([lookAtDevice(chosen ?? undefined), graphicsProcessor()]).then(([seen, graphics]) => {
      if (gone) return;
      setOutlook(seen);
      setGpu(graphics);
    });
    return () => { gone = true; };
  }, [chosen]);
  const choose = (value: DeviceChoice): void => {
    setError(null);
    chooseDevice(value).catch(setError);
  };
  return (
    <>
      <p className="mt-2" data-testid="device-headline">{outlook?.headline ?? "Looking…"}</p>
      <p className="quiet">{outlook?.detail ?? " "}</p>
      <fieldset className="forms">
        <legend className="sr-only">Where the work is done</legend>
        {CHOICES.map(([value, name]) => (
          <label key={value} data-checked={chosen === value}>
            <input type="radio" name="device" value={value} disabled={chosen === null} checked={chosen === value} onChange={() => choose(value)} />
            {name}
          </label>
        ))}
      </fieldset>
      <p className="small quiet mt-2">Holds for training and writing, from the next time either begins.</p>
      {error !== null && <div className="mt-4"><ErrorNote error={error} /></div>}
      {gpu !== null && outlook !== null && (
        <dl className="settings-facts mt-4">
          {deviceFacts({ gpu, threads: outlook.threads, cores: navigator.hardwareConcurrency || 1, isolated: crossOriginIsolated, secure: isSecureContext }).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
        </dl>
      )}
      <SelfTest />
    </>
  );
}

function SelfTest() {
  const training = useStore(run, (r) => isActive(r.live));
  const [busy, setBusy] = useState<DeviceTest["kind"] | null>(null);
  const [tests, setTests] = useState<readonly DeviceTest[]>([]);
  const [error, setError] = useState<unknown>(null);
  const test = async (): Promise<void> => {
    setTests([]);
    setError(null);
    try {
      for (const kind of ["wasm", "webgpu"] as const) {
        setBusy(kind);
        const result = await testDevice(kind);
        setTests((before) => [...before, result]);
      }
    } catch (fault) {
      setError(fault);
    }
    setBusy(null);
  };
  const details = testDetails(tests, navigator.userAgent);
  return (
    <div className="mt-5">
      <button type="button" className="button" data-testid="self-test" disabled={busy !== null || training} onClick={() => void test()}>{busy === null ? "Run the self-test" : "Testing…"}</button>
      <p className="small quiet mt-2">{training ? "Not while a training run is going on; each would spoil the other’s times." : "Sums whose right results are known, on each device: what runs before every training."}</p>
      <div role="status">
        {tests.map((result) => <p key={result.kind} className="mt-2" data-testid={`test-${result.kind}`} data-result={result.result}>{testWords(result)}</p>)}
        {busy !== null && <p className="mt-2 quiet">{busy === "wasm" ? "Testing the processor…" : "Testing the graphics processor…"}</p>}
      </div>
      {error !== null && <div className="mt-4"><ErrorNote error={error} /></div>}
      {tests.length > 0 && busy === null && (
        <details className="folded">
          <summary className="small">Details</summary>
          <code className="code code-wrap" tabIndex={0}>{details}</code>
          <div className="mt-2"><CopyButton text={details} what="the details" /></div>
        </details>
      )}
    </div>
  );
}
