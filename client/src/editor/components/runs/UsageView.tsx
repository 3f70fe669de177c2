/** What runs took: by day, by person, by canvas. */
import { LoaderCircle } from "lucide-react";
import { useEffect, useState } from "react";
import type { Usage, UsageGroup } from "../../../protocol/generated";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { useRunDesk } from "../../hooks/useRunDesk";
import { typeIn } from "../../store/library";
import { formatDuration } from "../../store/value_kind";

type Asked = "day" | "user" | "canvas";

const CHOICES: readonly (readonly [Asked, string])[] = [
  ["day", "This canvas, by day"],
  ["user", "This canvas, by person"],
  ["canvas", "My runs, by canvas"],
];

export function UsageView() {
  const editor = useEditor();
  const desk = useRunDesk();
  const [by, setBy] = useState<Asked>("day");
  const [usage, setUsage] = useState<Usage | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [times, setTimes] = useState(0);
  const { canvas } = editor.document;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `times` asks again
  useEffect(() => {
    let wanted = true;
    setFailure(null);
    desk.usage(by, by === "canvas" ? undefined : canvas).then(
      (answer) => wanted && setUsage(answer),
      (error: unknown) => wanted && setFailure(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      wanted = false;
    };
  }, [desk, by, canvas, times]);
  return (
    <>
      <div className="run-filters">
        <select
          className="field"
          aria-label="What is added up"
          data-testid="usage-by"
          value={by}
          onChange={(event) => setBy(event.target.value as Asked)}
        >
          {CHOICES.map(([name, title]) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
      </div>
      <div className="scroll side-scroll" data-testid="usage">
        {failure && (
          <div className="notice error run-notice" role="alert">
            <span>
              Usage could not be read: {failure}{" "}
              <button type="button" className="link-button" onClick={() => setTimes(times + 1)}>
                Try again
              </button>
            </span>
          </div>
        )}
        {!usage && !failure && (
          <p className="menu-note" role="status">
            <LoaderCircle size={13} className="spin" aria-hidden="true" /> Adding up
          </p>
        )}
        {usage && usage.groups.length === 0 && <p className="menu-note">Nothing ran in the last 30 days.</p>}
        {usage && usage.groups.length > 0 && <Bars usage={usage} />}
      </div>
    </>
  );
}

function Bars({ usage }: { usage: Usage }) {
  const most = Math.max(...usage.groups.map(({ seconds }) => seconds), 0.001);
  const { total } = usage;
  return (
    <>
      <table className="usage">
        <thead>
          <tr>
            <th scope="col">Last 30 days</th>
            <th scope="col">Runs</th>
            <th scope="col">Nodes</th>
            <th scope="col">Time</th>
          </tr>
        </thead>
        <tbody>
          {usage.groups.map((group) => (
            <tr key={group.key ?? ""}>
              <th scope="row">
                <span className="usage-name">{titleOf(usage.by, group)}</span>
                <span className="usage-bar" aria-hidden="true">
                  <i style={{ width: `${(group.seconds / most) * 100}%` }} />
                </span>
                {extra(group)}
              </th>
              <td>{group.runs.toLocaleString()}</td>
              <td>{group.nodes.toLocaleString()}</td>
              <td>{formatDuration(group.seconds)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Together{extra(total)}</th>
            <td>{total.runs.toLocaleString()}</td>
            <td>{total.nodes.toLocaleString()}</td>
            <td>{formatDuration(total.seconds)}</td>
          </tr>
        </tfoot>
      </table>
      {usage.tokens.length > 0 && <Tokens tokens={usage.tokens} />}
      <p className="menu-note">Runs that have ended and are kept. Days are in UTC.</p>
    </>
  );
}

/** What models took, of the same runs. */
function Tokens({ tokens }: { tokens: Usage["tokens"] }) {
  const { library } = useEditor();
  const types = useStore(library.state);
  return (
    <table className="usage" data-testid="usage-tokens">
      <thead>
        <tr>
          <th scope="col">Tokens</th>
          <th scope="col">Calls</th>
          <th scope="col">In</th>
          <th scope="col">Out</th>
        </tr>
      </thead>
      <tbody>
        {tokens.map((each) => (
          <tr key={[each.type, each.provider, each.model].join(" ")}>
            <th scope="row">
              <span className="usage-name">
                {each.type === null ? "Others" : (typeIn(types, each.type)?.title ?? each.type)}
              </span>
              <span className="type-hint">
                {[each.model, each.provider].filter(Boolean).join(", ") || "model not told"}
              </span>
            </th>
            <td>{each.calls.toLocaleString()}</td>
            <td>{each.prompt_tokens.toLocaleString()}</td>
            <td>
              {(each.prompt_tokens + each.completion_tokens > 0
                ? each.completion_tokens
                : each.total_tokens
              ).toLocaleString()}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What is only told where there is some. */
function extra(figures: Omit<UsageGroup, "key" | "name">) {
  const said = [
    figures.cached ? `${figures.cached.toLocaleString()} cached` : "",
    figures.failed ? `${figures.failed.toLocaleString()} failed` : "",
    figures.tokens ? `${figures.tokens.toLocaleString()} tokens` : "",
  ].filter(Boolean);
  return said.length > 0 ? <span className="type-hint">{said.join(", ")}</span> : null;
}

function titleOf(by: Usage["by"], group: UsageGroup): string {
  if (by !== "day") return group.name ?? group.key ?? "Without a canvas";
  const date = new Date(`${group.key}T00:00:00Z`);
  return date.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
}
