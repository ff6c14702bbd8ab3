import type { ComponentChildren } from "preact";
import { fromDetail, type PageFault } from "../fault.ts";
import { contact, link, setup } from "../live.ts";
import { linkTo, route } from "../route.ts";
import { Age } from "./age.tsx";

/** A page of the menu. */
export interface MenuEntry {
  readonly page: string;
  readonly label: string;
}

interface FrameProps {
  readonly menu: readonly MenuEntry[];
  readonly children: ComponentChildren;
}

/** The frame of every page: the name of the system, the menu, and the state of the connection. */
export function Frame({ menu, children }: FrameProps) {
  const system = setup.value?.system ?? "DAOS";
  const { page } = route.value;
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={skipMenu}>
        Skip the menu
      </button>
      <header class="side">
        <div class="brand">
          <img src="/icon.svg" alt="" width="28" height="28" />
          <div>
            <strong>{system}</strong>
            <span>dmg {setup.value?.version}</span>
          </div>
        </div>
        <nav aria-label="Pages">
          {menu.map((entry) => (
            <a
              key={entry.page}
              href={linkTo(entry.page)}
              aria-current={isUnder(entry.page, page) ? "page" : undefined}
            >
              {entry.label}
            </a>
          ))}
        </nav>
        <Freshness />
      </header>
      <main id="content" tabIndex={-1}>
        <LostNotice />
        {children}
      </main>
    </div>
  );
}

function skipMenu(): void {
  document.getElementById("content")?.focus();
}

/** The menu entry of a page. For example, a host and its configuration belong to the hosts. */
function isUnder(entry: string, page: string): boolean {
  return page === entry || `${page}s` === entry || (page === "config" && entry === "hosts");
}

type Status = { readonly kind: "live" | "waiting" | "lost"; readonly text: string };

function status(): Status {
  if (contact.value.kind === "lost") return { kind: "lost", text: "No contact with dmg" };
  if (contact.value.kind === "connecting" || link.value === undefined) {
    return { kind: "waiting", text: "Connecting" };
  }
  if (link.value.connected) return { kind: "live", text: "Live" };
  if (link.value.fault === undefined) return { kind: "waiting", text: "Looking for the leader" };
  return { kind: "lost", text: "No leader" };
}

function Freshness() {
  const { kind, text } = status();
  return (
    <p class="fresh" data-kind={kind} role="status">
      <span class="dot" aria-hidden="true" />
      {text}
      {setup.value?.readOnly === true && <span class="tag">read-only</span>}
    </p>
  );
}

/** The warning about outdated data, with time, reason and remedy. */
function LostNotice() {
  const lost = whatIsLost();
  if (lost === undefined) return null;
  const { since, fault, what } = lost;
  return (
    <section class="lost" role="alert">
      <h2>{what}</h2>
      <p>
        What is below is <Age time={since} /> old. The page continues automatically when the connection is
        back.
      </p>
      <p>
        {fault.text}. <span class="quiet">{fault.resolution}</span>{" "}
        <span class="quiet">
          ({fault.domain} {fault.code})
        </span>
      </p>
    </section>
  );
}

function whatIsLost(): { since: number; fault: PageFault; what: string } | undefined {
  if (contact.value.kind === "lost") {
    return { since: contact.value.since, fault: contact.value.fault, what: "No contact with dmg" };
  }
  const { value } = link;
  if (value === undefined || value.connected || value.fault === undefined) return undefined;
  return { since: Number(value.since), fault: fromDetail(value.fault), what: "The leader is lost" };
}
