/** The text of a comment: drawn as Markdown once the part for it is there, and as it was written until then. */
import { useEffect } from "react";
import { Boundary } from "../../../app/components/Boundary";
import { decodeMentions } from "../../../comments";
import { Store, useStore } from "../../../store";
import type { CommentTextProps } from "./CommentText";

const drawing = new Store<React.ComponentType<CommentTextProps> | null>(null);
let asked: Promise<void> | null = null;

/** Fetch the part that draws Markdown. Without a connection it stays away, and is asked for the next time. */
export function loadCommentText(): Promise<void> {
  asked ??= import("./CommentText")
    .then((module) => drawing.set(module.default))
    .catch(() => {
      asked = null;
    });
  return asked;
}

export function Words({ text, names }: CommentTextProps) {
  const Drawn = useStore(drawing);
  useEffect(() => void loadCommentText(), []);
  const bare = <p>{decodeMentions(text, names).text}</p>;
  return (
    <div className="comment-text prose">
      {Drawn ? (
        // Nobody's text takes the page along.
        <Boundary key={text} instead={() => bare}>
          <Drawn text={text} names={names} />
        </Boundary>
      ) : (
        bare
      )}
    </div>
  );
}
