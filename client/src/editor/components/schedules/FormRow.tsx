/** A field with its label, and words about it: a note, or what is wrong. */
import { useId } from "react";

/** What ties a field to its label, and to the words about it. */
export interface FieldAria {
  readonly id: string;
  readonly "aria-invalid": boolean;
  readonly "aria-describedby": string;
}

interface FormRowProps {
  readonly label: string;
  readonly note?: string | undefined;
  readonly fault: string | undefined;
  readonly children: (aria: FieldAria) => React.ReactNode;
}

export function FormRow({ label, note, fault, children }: FormRowProps) {
  const id = useId();
  const about = useId();
  return (
    <div className="worker-row">
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-invalid": fault !== undefined, "aria-describedby": about })}
      <p id={about} className={fault ? "field-error" : "faint"} role={fault ? "alert" : undefined}>
        {fault ?? note}
      </p>
    </div>
  );
}
