/** The sign and the tint of a kind of node: by its type, else by its category. */
import {
  Binary,
  Bot,
  Braces,
  Bug,
  Clock,
  CodeXml,
  Combine,
  Database,
  FileText,
  FoldVertical,
  GitBranch,
  Globe,
  Hash,
  Image,
  List,
  LogIn,
  LogOut,
  type LucideIcon,
  MessageSquare,
  Puzzle,
  Repeat,
  RotateCw,
  Shapes,
  Sigma,
  SquareFunction,
  Table2,
  TextCursorInput,
  TriangleAlert,
  Type,
  Workflow,
} from "lucide-react";

const BY_TYPE: Readonly<Record<string, LucideIcon>> = {
  "core.value": TextCursorInput,
  "core.template": FileText,
  "core.delay": Clock,
  "core.fail": TriangleAlert,
  "core.if": GitBranch,
  "core.switch": GitBranch,
  "core.map": Repeat,
  "core.while": RotateCw,
  "core.reduce": FoldVertical,
  "core.spell": Workflow,
  "core.input": LogIn,
  "core.output": LogOut,
  "core.merge": Combine,
  "core.log": Bug,
  "core.debug": Bug,
  "core.csv": Table2,
  "core.table": Table2,
  "core.pick": Braces,
  "core.text": Type,
  "code.python": CodeXml,
  "code.typescript": CodeXml,
  "http.request": Globe,
  "http.graphql": Globe,
  "llm.chat": MessageSquare,
  "llm.embed": Binary,
};

/** Words in a category or type that give its sign and tint, the first that matches. */
const BY_WORD: readonly [word: RegExp, icon: LucideIcon, tint: string][] = [
  [/code|python/, CodeXml, "--type-text"],
  [/llm|model|ai\b|language/, Bot, "--type-object"],
  [/http|web|network/, Globe, "--type-image"],
  [/table|data|csv/, Table2, "--type-table"],
  [/plot|chart|image|visual/, Image, "--type-table"],
  [/list|map/, List, "--type-list"],
  [/spells/, Workflow, "--accent"],
  [/flow|control|logic/, GitBranch, "--type-boolean"],
  [/text|template|string/, FileText, "--type-list"],
  [/value|input|number/, Hash, "--type-number"],
  [/json|object/, Braces, "--type-number"],
  [/math/, Sigma, "--type-number"],
  [/store|database/, Database, "--type-image"],
  [/debug|util|tool/, Bug, "--type-any"],
  [/core/, Shapes, "--type-list"],
];

/** The sign and tint (a CSS variable) of a node type. */
export function nodeLook(type: string, category?: string): { icon: LucideIcon; tint: string } {
  const words = `${category ?? ""} ${type}`.toLowerCase();
  const match = BY_WORD.find(([word]) => word.test(words));
  const icon = BY_TYPE[type] ?? match?.[1] ?? (category === undefined ? Puzzle : SquareFunction);
  return { icon, tint: `var(${match?.[2] ?? "--type-any"})` };
}

/** The tinted square with a node type's sign. */
export function NodeIcon({
  type,
  category,
  size = 13,
}: {
  type: string;
  category?: string | undefined;
  size?: number;
}) {
  const { icon: Icon, tint } = nodeLook(type, category);
  return (
    <span className="node-icon" style={{ "--tint": tint } as React.CSSProperties} aria-hidden="true">
      <Icon size={size} strokeWidth={2.1} />
    </span>
  );
}
