/** Versions of a canvas as the page has them. */
import type { FrozenDocument } from "../document";
import type { ErrorBody } from "../protocol";
import type { Change, Compared, Summary, VersionView } from "../protocol/generated";

export type Version = VersionView;
export type What = Change["what"];
export type { Change, Compared, Summary };

/** By id, how a thing of the version differs from the present: `added` is one that came since. */
export type Marks = ReadonlyMap<string, What>;

/** Where the list of versions stands. */
export type Listing =
  | { readonly state: "loading" }
  | { readonly state: "ready" }
  | { readonly state: "failed"; readonly error: ErrorBody };

/** The version that is looked at. */
export type Shown =
  | { readonly state: "loading"; readonly version: Version }
  | { readonly state: "failed"; readonly version: Version; readonly error: ErrorBody }
  | {
      readonly state: "open";
      readonly version: Version;
      readonly document: FrozenDocument;
      /** From the version to the present. */
      readonly difference: Compared;
      readonly marks: Marks;
    };
