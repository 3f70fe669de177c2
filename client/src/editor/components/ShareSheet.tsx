/** Who may see, run and edit this canvas; owners change that here, and hand out ways in. */
import { useEffect, useMemo } from "react";
import { api } from "../../api";
import { Sharing } from "../../sharing";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { Sheet } from "./Sheet";
import { AddPerson } from "./share/AddPerson";
import { InvitationRows } from "./share/InvitationRows";
import { MakeLink } from "./share/MakeLink";
import { MemberRows } from "./share/MemberRows";

/** Between two looks, while the sheet is open, at what others changed and who came. */
const LOOK_MS = 5_000;

export function ShareSheet() {
  const editor = useEditor();
  const open = useStore(editor.share);
  return open ? <OpenShareSheet /> : null;
}

function OpenShareSheet() {
  const editor = useEditor();
  const canvas = editor.document.canvas;
  const owner = useStore(editor.document.role) === "owner";
  const sharing = useMemo(() => new Sharing(api, canvas, location.origin), [canvas]);
  const failure = useStore(sharing.failure);
  useEffect(() => {
    void sharing.load(owner);
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") void sharing.load(owner);
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [sharing, owner]);
  const close = () => editor.share.set(false);
  return (
    <Sheet title={owner ? "Share this canvas" : "Who is on this canvas"} onClose={close} testid="share">
      {failure !== null && (
        <div className="notice error share-failure" role="alert" data-testid="share-error">
          {failure}
        </div>
      )}
      {owner && <AddPerson sharing={sharing} />}
      <MemberRows sharing={sharing} owner={owner} self={editor.user.id} onLeft={close} />
      {owner && (
        <>
          <InvitationRows sharing={sharing} kind="invitations" />
          <MakeLink sharing={sharing} />
          <InvitationRows sharing={sharing} kind="links" />
        </>
      )}
    </Sheet>
  );
}
