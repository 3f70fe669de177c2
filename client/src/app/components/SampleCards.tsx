/** Samples to choose from. */
import { ChartScatter, ClipboardCheck, Radio, Repeat, Sparkles } from "lucide-react";
import { type Sample, useSamples } from "../samples";

const ICONS = {
  hello: Sparkles,
  live: Radio,
  orders: Repeat,
  penguins: ChartScatter,
  people: ClipboardCheck,
} as const;

interface SampleCardsProps {
  readonly onChoose: (sample: Sample) => void;
}

export function SampleCards({ onChoose }: SampleCardsProps) {
  const samples = useSamples();
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
            <span>{sample.sentence}</span>
          </button>
        );
      })}
    </div>
  );
}
