/** A dialog in the middle of the page; Escape or a click beside it closes it. */
import { X } from "lucide-react";
import { useEffect, useRef } from "react";

interface SheetProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly testid?: string;
  readonly children: React.ReactNode;
}

export function Sheet({ title, onClose, testid, children }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // A form is there to be filled in: the keyboard is at its first field, not at the way out.
    element?.querySelector<HTMLElement>("[data-first-field]")?.focus();
    return () => element?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a dialog closes by Escape by itself
    <dialog
      className="sheet"
      ref={dialog}
      aria-label={title}
      data-testid={testid}
      onClose={onClose}
      onClick={(event) => event.target === event.currentTarget && onClose()}
    >
      <header className="sheet-head">
        <h2>{title}</h2>
        <button type="button" className="icon-button small" aria-label="Close" onClick={onClose}>
          <X size={15} />
        </button>
      </header>
      <div className="sheet-body scroll">{children}</div>
    </dialog>
  );
}
