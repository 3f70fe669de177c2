/** The page starts here. */
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { Boundary, PageFailure } from "./app/components/Boundary";
import { startInbox } from "./app/inbox";
import { startRouter } from "./app/router";
import { startTasks } from "./app/tasks";
import { startTheme } from "./app/theme";
import { startShell } from "./shell/start_shell";
import "./styles/index.css";

startTheme();
startRouter();
startInbox();
startTasks();
startShell();
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <Boundary instead={(error) => <PageFailure error={error} />}>
      <App />
    </Boundary>,
  );
}
