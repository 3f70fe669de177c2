/** The text of a comment: Markdown without pictures; HTML stays text, mentions are names. */
import Markdown, { defaultUrlTransform } from "react-markdown";
import remarkGfm from "remark-gfm";
import { decodeMentions, mentionLinks } from "../../../comments";
import { nestsDeep } from "../../store/deep_markdown";

const PLUGINS = [remarkGfm];
const NOT_DRAWN = ["img"];
const MENTION = "user:";

const COMPONENTS = {
  a: ({ href, children }: { href?: string | undefined; children?: React.ReactNode }) =>
    href?.startsWith(MENTION) ? (
      <span className="mention">{children}</span>
    ) : (
      <a href={href} target="_blank" rel="noreferrer noopener">
        {children}
      </a>
    ),
};

const keepMentions = (url: string) => (/^user:[0-9a-f]{32}$/.test(url) ? url : defaultUrlTransform(url));

export interface CommentTextProps {
  readonly text: string;
  readonly names: Readonly<Record<string, string>>;
}

export default function CommentText({ text, names }: CommentTextProps) {
  if (nestsDeep(text)) return <p>{decodeMentions(text, names).text}</p>;
  return (
    <Markdown
      remarkPlugins={PLUGINS}
      components={COMPONENTS}
      disallowedElements={NOT_DRAWN}
      urlTransform={keepMentions}
    >
      {mentionLinks(text, names)}
    </Markdown>
  );
}
