/** A Vega-Lite plot. Expressions are walked by the interpreter: nothing in a spec is ever run as code. */
import { useEffect, useRef, useState } from "react";
import embed, { type Result, type VisualizationSpec } from "vega-embed";
import { expressionInterpreter } from "vega-interpreter";
import { useTheme } from "../../../app/theme";
import { closedLoader, embeddable } from "./plot_spec";

const FONT = "Hanken Grotesk Variable, system-ui, sans-serif";

interface PlotPreviewProps {
  readonly spec: Record<string, unknown>;
  readonly place: "node" | "panel";
  readonly label: string;
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The product's own look for plots, in the colours of the theme that is on. */
function plotConfig(): Record<string, unknown> {
  const faint = colour("--ink-faint");
  const line = colour("--line");
  return {
    background: "transparent",
    font: FONT,
    view: { stroke: "transparent" },
    axis: {
      labelColor: faint,
      titleColor: faint,
      gridColor: line,
      domainColor: line,
      tickColor: line,
      titleFontWeight: 500,
    },
    legend: { labelColor: faint, titleColor: faint, titleFontWeight: 500 },
    title: { color: colour("--ink"), fontWeight: 600, fontSize: 12 },
    mark: { color: colour("--accent") },
    range: {
      category: [
        "--accent",
        "--type-number",
        "--type-text",
        "--type-boolean",
        "--type-object",
        "--type-table",
      ].map(colour),
    },
  };
}

/** Whether a spec is made of several plots, which keep their own sizes. */
function composed(spec: Record<string, unknown>): boolean {
  return ["hconcat", "vconcat", "concat", "facet", "repeat"].some((key) => key in spec);
}

export default function PlotPreview({ spec, place, label }: PlotPreviewProps) {
  const box = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  const [failure, setFailure] = useState<string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme changes what colour() reads
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let result: Result | undefined;
    let gone = false;
    const sized = {
      ...embeddable(spec),
      ...(composed(spec)
        ? {}
        : {
            width: "container",
            height: place === "node" ? 140 : 220,
            autosize: { type: "fit", contains: "padding" },
          }),
    } as VisualizationSpec;
    embed(element, sized, {
      actions: false,
      renderer: "svg",
      ast: true,
      expr: expressionInterpreter,
      config: plotConfig(),
      tooltip: place === "panel",
      loader: closedLoader(),
    })
      .then((made) => {
        if (gone) made.finalize();
        else result = made;
        setFailure(null);
      })
      .catch((error: unknown) => setFailure(error instanceof Error ? error.message : String(error)));
    return () => {
      gone = true;
      result?.finalize();
    };
  }, [spec, place, theme]);
  return (
    <div className="preview-plot">
      {failure !== null && <div className="notice error">This plot cannot be drawn: {failure}</div>}
      <div ref={box} role="img" aria-label={`Plot of ${label}`} hidden={failure !== null} />
    </div>
  );
}
