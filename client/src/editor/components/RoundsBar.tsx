/** How far a node came with its iterations: in words, and as a bar of what is done and what has failed. */
import type { Rounds } from "../../engine/types";

/** `7 of 10, 1 failed`; `4 rounds` where nobody knows how many there will be. */
export function roundsWords({ done, total, failed }: Rounds): string {
  const [came, all, lost] = [done, total ?? 0, failed].map((count) => count.toLocaleString("en"));
  const words = total === null ? `${came} ${done === 1 ? "round" : "rounds"}` : `${came} of ${all}`;
  return failed > 0 ? `${words}, ${lost} failed` : words;
}

export function RoundsBar({ rounds, testid }: { rounds: Rounds; testid: string }) {
  const { done, total, failed } = rounds;
  const share = (part: number) => `${total ? (100 * part) / total : 0}%`;
  return (
    <div className="rounds" data-testid={testid}>
      <span>{roundsWords(rounds)}</span>
      {total !== null && (
        <div className="rounds-bar" aria-hidden="true">
          <i data-part="done" style={{ width: share(Math.max(0, done - failed)) }} />
          {failed > 0 && <i data-part="failed" style={{ width: share(failed) }} />}
        </div>
      )}
    </div>
  );
}
