/** Who is signed in, and which page is open. */
import { lazy, Suspense, useEffect, useState } from "react";
import { auth } from "../api";
import { useOwnClicks } from "../editor/hooks/useOwnClicks";
import type { User } from "../protocol";
import { useStore } from "../store";
import { Account } from "./components/Account";
import { CanvasList } from "./components/CanvasList";
import { Join } from "./components/Join";
import { Link } from "./components/Link";
import { People } from "./components/People";
import { SignIn, SignInByLink } from "./components/SignIn";
import { onSignedOutElsewhere, recallUser, rememberUser } from "./remembered";
import { usePlace } from "./router";
import { finishSignOut } from "./sign_out";

const TaskLink = lazy(() => import("./components/TaskLink"));
const CanvasPage = lazy(() => import("./components/CanvasPage"));

export function App() {
  useOwnClicks();
  const signedIn = useStore(auth.user);
  const [last] = useState(recallUser);
  const place = usePlace();
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    finishSignOut()
      .then(() => auth.restore())
      .catch((error: unknown) => setFailure(error instanceof Error ? error.message : String(error)));
    return onSignedOutElsewhere(() => auth.leave());
  }, []);
  useEffect(() => {
    if (signedIn !== undefined) rememberUser(signedIn);
  }, [signedIn]);
  // Until the server says who is signed in, the page is that of the person who was.
  const user = signedIn === undefined ? (last ?? undefined) : signedIn;
  if (place.page === "task") {
    return (
      <Suspense fallback={<Waiting failure={null} />}>
        <TaskLink key={place.token} token={place.token} />
      </Suspense>
    );
  }
  if (place.page === "link") return <SignInByLink token={place.token} />;
  if (user === undefined) return <Waiting failure={failure} />;
  if (place.page === "join") return <Join key={place.token} token={place.token} user={user} />;
  if (user === null) return <SignIn />;
  return <Page user={user} />;
}

function Page({ user }: { user: User }) {
  const place = usePlace();
  switch (place.page) {
    case "canvas":
      return (
        <Suspense fallback={<Waiting failure={null} />}>
          <CanvasPage key={place.id} id={place.id} user={user} />
        </Suspense>
      );
    case "account":
      return <Account user={user} />;
    case "people":
      return <People user={user} />;
    case "canvases":
      return <CanvasList user={user} />;
    default:
      return (
        <div className="loading">
          <p>There is no page at this address.</p>
          <Link to="/" className="button">
            Go to your canvases
          </Link>
        </div>
      );
  }
}

function Waiting({ failure }: { failure: string | null }) {
  if (failure === null) return <div className="loading" aria-busy="true" />;
  return (
    <div className="loading">
      <div className="notice error" role="alert">
        The server cannot be reached: {failure}
      </div>
      <button type="button" className="button" onClick={() => location.reload()}>
        Try again
      </button>
    </div>
  );
}
