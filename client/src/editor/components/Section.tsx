/** A part of the inspector that opens and closes. */
import { ChevronRight } from "lucide-react";
import { useState } from "react";

interface SectionProps {
  readonly title: string;
  readonly open?: boolean;
  readonly children: React.ReactNode;
}

export function Section({ title, open = false, children }: SectionProps) {
  const [isOpen, setOpen] = useState(open);
  return (
    <section className="section">
      <button type="button" className="section-head" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <ChevronRight size={13} className={isOpen ? "turned" : ""} aria-hidden="true" />
        {title}
      </button>
      {isOpen && <div className="section-body">{children}</div>}
    </section>
  );
}
