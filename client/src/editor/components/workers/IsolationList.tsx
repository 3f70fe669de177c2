/** What is closed to the code of a worker, layer by layer, and why one is not; and by what means. */
import { Shield, ShieldOff } from "lucide-react";
import type { Worker } from "../../../workers";
import { layerWords } from "../../../workers";

export function IsolationList({ worker }: { readonly worker: Worker }) {
  const { layers, means } = worker;
  const absent = Object.entries(means.absent);
  return (
    <>
      <ul className="plain-list layer-list" aria-label="Isolation">
        {layers.map((layer) => {
          const { title, words } = layerWords(layer);
          const Icon = layer.on ? Shield : ShieldOff;
          return (
            <li key={layer.name} className="layer" data-on={layer.on} data-testid={`layer-${layer.name}`}>
              <Icon size={14} aria-label={layer.on ? "Closed" : "Open"} />
              <span>
                <strong>{title}</strong> <span className="faint">{words}</span>
              </span>
            </li>
          );
        })}
      </ul>
      {means.present.length + absent.length > 0 && (
        <details className="means">
          <summary>By what means</summary>
          <ul className="plain-list">
            {means.present.map((each) => (
              <li key={each}>{each}: in force</li>
            ))}
            {absent.map(([each, why]) => (
              <li key={each} className="faint">
                {each}: not here, {why}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
