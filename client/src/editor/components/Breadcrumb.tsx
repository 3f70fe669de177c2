/** The canvases through which one came to this one, and the way back to the node in each. */
import { ChevronRight } from "lucide-react";
import { Fragment, useEffect, useMemo } from "react";
import { Link } from "../../app/components/Link";
import { usePlace } from "../../app/router";
import { useStore } from "../../store";
import { canvases, loadCanvases } from "../store/canvases";
import { addressBack, wayIn } from "../store/ways";

export function Breadcrumb() {
  const place = usePlace();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another place is another address
  const way = useMemo(() => wayIn(location.search), [place]);
  const known = useStore(canvases);
  useEffect(() => {
    if (way.length > 0) void loadCanvases();
  }, [way]);
  if (way.length === 0) return null;
  return (
    <nav className="breadcrumb" aria-label="The way here" data-testid="breadcrumb">
      {way.map((step, index) => (
        <Fragment key={`${step.canvas}.${step.node}`}>
          <Link to={addressBack(way, index)} className="truncate" title="Back to where it is used">
            {known?.get(step.canvas)?.name ?? "The canvas that uses it"}
          </Link>
          <ChevronRight size={13} aria-hidden="true" />
        </Fragment>
      ))}
    </nav>
  );
}
