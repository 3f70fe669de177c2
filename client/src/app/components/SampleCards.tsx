/** Samples to choose from. */
import { ChartScatter, GitBranch, Sparkles } from "lucide-react";
import type { Sample } from "../samples";

const ICONS = { hello: Sparkles, penguins: ChartScatter, branch: GitBranch } as const;

interface SampleCardsProps {
  readonly samples: readonly Sample[];
  readonly onChoose: (sample: Sample) => void;
}

export function SampleCards({ samples, onChoose }: SampleCardsProps) {
  return (
    <div className="sample-row">
      {samples.map((sample) => {
        const Icon = ICONS[sample.id as keyof typeof ICONS] ?? Sparkles;
        return (
          <button
            key={sample.id}
            type="button"
            className="sample"
            data-testid={`sample-${sample.id}`}
            onClick={() => onChoose(sample)}
          >
            <Icon size={20} strokeWidth={1.8} />
            <strong>{sample.title}</strong>
            <span>{sample.about}</span>
          </button>
        );
      })}
    </div>
  );
}
