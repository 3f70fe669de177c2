/** The bar above the pages that are not a canvas. */
import { LogOut } from "lucide-react";
import { InboxButton } from "../../editor/components/comments/InboxButton";
import { TasksButton } from "../../editor/components/tasks/TasksButton";
import type { User } from "../../protocol";
import { signOut } from "../sign_out";
import { BrandMark } from "./Brand";
import { Link } from "./Link";
import { ThemeButton } from "./ThemeButton";

export function PageBar({ user }: { user: User }) {
  return (
    <header className="page-bar">
      <Link to="/" className="brand">
        <BrandMark /> Spellwork
      </Link>
      <span className="spacer" />
      <TasksButton />
      <InboxButton />
      <ThemeButton />
      {user.role === "admin" && (
        <Link to="/#/people" className="button quiet" data-testid="people-link">
          People
        </Link>
      )}
      <Link to="/#/account" className="button quiet" data-testid="account-link">
        {user.name || user.email}
      </Link>
      <button
        type="button"
        className="icon-button"
        aria-label="Sign out"
        title="Sign out"
        data-testid="sign-out"
        onClick={() => void signOut(user)}
      >
        <LogOut size={16} />
      </button>
    </header>
  );
}
