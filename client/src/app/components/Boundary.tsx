/** Keeps a failure while drawing where it happened: the rest of the page goes on. */
import { Component, type ErrorInfo, type ReactNode } from "react";

interface BoundaryProps {
  /** What is shown instead; `again` tries to draw anew. */
  readonly instead: (error: Error, again: () => void) => ReactNode;
  readonly children: ReactNode;
}

export class Boundary extends Component<BoundaryProps, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidCatch(error: unknown, info: ErrorInfo): void {
    console.error("A part of the page could not be drawn", error, info.componentStack);
  }

  override render(): ReactNode {
    const { error } = this.state;
    return error ? this.props.instead(error, () => this.setState({ error: null })) : this.props.children;
  }
}

/** What the whole page says when it cannot be drawn; edits that were not saved yet are sent again on return. */
export function PageFailure({ error }: { error: Error }) {
  return (
    <div className="loading">
      <div className="notice error" role="alert">
        This page could not be drawn: {error.message}. A reload usually helps, above all after an update of
        the server.
      </div>
      <button type="button" className="button primary" onClick={() => location.reload()}>
        Reload
      </button>
    </div>
  );
}
