import "./style.css";
import { render } from "preact";
import { useState } from "preact/hooks";
import { openSession } from "./api.ts";
import { type PageFault, toPageFault } from "./fault.ts";
import { contact, follow, setup } from "./live.ts";
import { ConfigPage } from "./pages/config-page.tsx";
import { EventsPage } from "./pages/events-page.tsx";
import { HostPage } from "./pages/host-page.tsx";
import { HostsPage } from "./pages/hosts-page.tsx";
import { OverviewPage } from "./pages/overview.tsx";
import { PoolPage } from "./pages/pool-page.tsx";
import { PoolsPage } from "./pages/pools-page.tsx";
import { StoragePage } from "./pages/storage-page.tsx";
import { FaultBox } from "./parts/fault-box.tsx";
import { Frame, type MenuEntry } from "./parts/frame.tsx";
import { linkTo, route } from "./route.ts";

const MENU: readonly MenuEntry[] = [
  { page: "overview", label: "Overview" },
  { page: "hosts", label: "Hosts" },
  { page: "pools", label: "Pools" },
  { page: "storage", label: "Storage" },
  { page: "events", label: "Events" },
];

function App({ refused }: { readonly refused: PageFault | undefined }) {
  const [first] = useState(refused);
  const { page } = route.value;
  const label = MENU.find((entry) => entry.page === page)?.label ?? route.value.of;
  document.title = `${label} · ${setup.value?.system ?? "DAOS"}`;
  if (contact.value.kind === "refused") return <NotLetIn fault={first ?? contact.value.fault} />;
  return (
    <Frame menu={MENU}>
      <Page />
    </Frame>
  );
}

function Page() {
  const { page, of } = route.value;
  switch (page) {
    case "overview":
      return <OverviewPage />;
    case "hosts":
      return <HostsPage />;
    case "host":
      return <HostPage address={of} />;
    case "config":
      return <ConfigPage key={of} address={of} />;
    case "pools":
      return <PoolsPage />;
    case "pool":
      return <PoolPage key={of} uuid={of} />;
    case "storage":
      return <StoragePage />;
    case "events":
      return <EventsPage />;
    default:
      return (
        <>
          <h1>No such page</h1>
          <p>
            <a href={linkTo("overview")}>Overview</a>
          </p>
        </>
      );
  }
}

function NotLetIn({ fault }: { readonly fault: PageFault }) {
  return (
    <main class="not-let-in">
      <h1>This browser was not let in</h1>
      <FaultBox fault={fault} />
    </main>
  );
}

async function start(): Promise<void> {
  const refused = await openSession().catch(toPageFault);
  const root = document.getElementById("app");
  if (root === null) throw new Error("the page has no #app");
  render(<App refused={refused} />, root);
  await follow();
}

void start();
