"use client";
/** Brings the parts of the settings page together; the margin leads to each. */
import { useEffect, type ReactNode } from "react";
import { Waiting } from "../_components/waiting";
import { openModels } from "../_state/models";
import { useStore } from "../_state/use-store";
import { workspace } from "../_state/workspace";
import { AsAnApp } from "./as-an-app";
import { Deleting } from "./deleting";
import { Device } from "./device";
import { Hub } from "./hub";
import { Look } from "./look";
import { Network } from "./network";
import { SaveAndOpen } from "./save-and-open";
import { Storage } from "./storage";

/** @param about made at build time */
export function SettingsScreen({ about }: { about: ReactNode }) {
  const phase = useStore(workspace, (w) => w.phase);
  useEffect(() => void openModels(), []);
  const parts: [id: string, name: string, part: ReactNode][] = [
    ["storage", "Storage", <Storage key="storage" />],
    ["everything", "Save and open everything", <SaveAndOpen key="everything" />],
    ["delete", "Delete", <Deleting key="delete" />],
    ["app", "As an app", <AsAnApp key="app" />],
    ["look", "Look", <Look key="look" />],
    ["device", "Device", <Device key="device" />],
    ["hub", "Model hub", <Hub key="hub" />],
    ["network", "Network", <Network key="network" />],
    ["about", "About", about],
  ];
  if (phase === "loading") return <Waiting title="Settings" />;
  return (
    <div className="folio">
      <div className="min-w-0">
        <h1 className="title">Settings</h1>
        <p className="lead">All of it concerns this browser on this device. There is no account, and nothing is kept anywhere else.</p>
        {parts.map(([id, name, part]) => (
          <section key={id} id={id} className="settings-section" aria-labelledby={`${id}-title`}>
            <h2 id={`${id}-title`} className="section-title">{name}</h2>
            {part}
          </section>
        ))}
      </div>
      <aside className="margin settings-margin">
        <nav className="margin-stick" aria-label="On this page">
          <ul className="settings-contents">
            {parts.map(([id, name]) => <li key={id}><a className="link" href={`#${id}`}>{name}</a></li>)}
          </ul>
        </nav>
      </aside>
    </div>
  );
}
