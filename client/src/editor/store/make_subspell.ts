/** Turns a part of a canvas into a canvas of its own that a node runs, and a group into the body of a loop. */
import { api } from "../../api";
import { go } from "../../app/router";
import type { Canvas } from "../../protocol";
import type { MemberList } from "../../protocol/generated";
import { loadCanvases } from "./canvases";
import type { Editor } from "./editor";
import { namedEdges } from "./flow";
import { NODE_WIDTH } from "./geometry";
import { shownPorts, wiredPorts } from "./graph";
import { NoSubspell, type Subspell, splitOff } from "./subspells";
import { addressInto, wayIn } from "./ways";

const SPELL = "core.spell";

/** Make the selection a canvas, and put a node that runs it in its place: one step of undo, once the canvas is there. */
export async function makeSubspell(editor: Editor): Promise<void> {
  const chosen = editor.selection.get();
  const name = nameFor(editor, chosen);
  try {
    const part = split(editor, chosen, name);
    const made = await api.post<Canvas>("/v1/canvases", { name, spell: part.child });
    const shared = await shareLike(editor.document.canvas, made.id, editor.user.id);
    // Somebody may have changed the part meanwhile: what is in its place is as the child was made.
    const id = replace(editor, part, made.id, name);
    void loadCanvases(true);
    editor.select([id]);
    const open = () =>
      go(addressInto(made.id, { canvas: editor.document.canvas, node: id }, wayIn(location.search)));
    editor.toasts.show({
      tone: "info",
      title: `“${name}” is a canvas of its own now`,
      ...(shared === null ? {} : { next: SHARED[shared] }),
      action: { label: "Open", run: open },
    });
  } catch (error) {
    if (error instanceof NoSubspell)
      editor.toasts.show({ tone: "error", title: "Could not make a subspell", next: error.message });
    else editor.toasts.error("Could not make a subspell", error);
  }
}

function nameFor(editor: Editor, chosen: ReadonlySet<string>): string {
  const spell = editor.document.spell.get();
  const [group] = [...chosen].flatMap((id) => (spell.groups[id]?.name ? [spell.groups[id].name] : []));
  return group || `Part of ${spell.name}`;
}

function split(editor: Editor, chosen: ReadonlySet<string>, name: string): Subspell {
  const spell = editor.document.spell.get();
  const dynamic = editor.document.ports.get();
  const portOf = (id: string, input: string) => {
    const node = spell.nodes[id];
    if (!node) return undefined;
    const ports = shownPorts(node, editor.library.of(node), dynamic[id], wiredPorts(spell.edges, id));
    return ports.inputs.find((port) => port.name === input);
  };
  const named = [...namedEdges(dynamic)].map(([, edge]) => edge);
  return splitOff(spell, chosen, name, portOf, named);
}

function replace(editor: Editor, part: Subspell, child: string, name: string): string {
  const { document: shared } = editor;
  const spell = shared.spell.get();
  const type = editor.library.get(SPELL);
  const own = new Set(type?.inputs.map((port) => port.name));
  const places = [...part.moved].flatMap((id) => (spell.nodes[id] ? [spell.nodes[id].position] : []));
  const middle = (axis: 0 | 1) =>
    Math.round((Math.min(...places.map((at) => at[axis])) + Math.max(...places.map((at) => at[axis]))) / 2);
  const groups = new Set(Object.keys(part.child.nodes ?? {}).map((id) => spell.nodes[id]?.group));
  const [around] = groups.size === 1 ? groups : [];
  return shared.together(() => {
    shared.remove(part.moved);
    const id = shared.addNode({
      type: SPELL,
      ...(type ? { version: type.version } : {}),
      name,
      settings: { body: { spell: child } },
      position: [middle(0), middle(1)],
      ...(around !== undefined && !part.moved.has(around) ? { group: around } : {}),
    });
    for (const { node, port, name: input } of part.inputs)
      shared.connect({ source: node, output: port, target: id, input: own.has(input) ? `${input}_` : input });
    for (const { node, port, name: output, transform } of part.outputs)
      shared.connect(
        { source: id, output, target: node, input: port, ...(transform ? { transform } : {}) },
        { many: true },
      );
    return id;
  });
}

const SHARED = {
  all: "All who are on this canvas may use it.",
  not: "The others on this canvas cannot open it yet: share it with them.",
} as const;

/** Give everybody on the parent their role on the child, too: whether that went well; null where nobody else is there. */
async function shareLike(parent: string, child: string, me: string): Promise<keyof typeof SHARED | null> {
  try {
    const { items } = await api.get<MemberList>(`/v1/canvases/${parent}/members`);
    const others = items.filter(({ user_id }) => user_id !== me);
    for (const { email, role } of others) {
      const body = { email, role: role === "owner" ? "editor" : role };
      await api.put(`/v1/canvases/${child}/members`, body);
    }
    return others.length > 0 ? "all" : null;
  } catch {
    return "not";
  }
}

/** Put a map right above a group, whose body the group is. */
export function mapOverGroup(editor: Editor, group: string): void {
  const { document: shared } = editor;
  const type = editor.library.get("core.map");
  const frame = shared.spell.get().groups[group];
  if (!frame) return;
  shared.checkpoint();
  const id = shared.addNode({
    type: "core.map",
    ...(type ? { version: type.version } : {}),
    settings: { body: { group } },
    position: [frame.position[0] - NODE_WIDTH - 80, frame.position[1]],
  });
  editor.select([id]);
}
