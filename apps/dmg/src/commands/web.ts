import { type Answer, success } from "../answer.ts";
import type { CommandContext } from "../define-command.ts";
import { defineCommand } from "../define-command.ts";
import { ExpiryNotes } from "../expiry-notes.ts";
import { openInBrowser } from "../web/open-in-browser.ts";
import { dmgVersion } from "./version.ts";

const FLAGS = {
  port: {
    type: "integer",
    value: "N",
    min: 1,
    max: 65_535,
    summary: "port on the loopback (default one that is free)",
  },
  open: { type: "boolean", summary: "open the page in the browser" },
  "read-only": { type: "boolean", summary: "the page only shows the system, and refuses changes" },
} as const;

/** `dmg web`: a page for a browser on this machine. */
export const webCommand = defineCommand({
  name: "web",
  summary: "Show the system in a browser on this machine",
  description:
    "Serves a page on the loopback until Ctrl-C. It uses dmg's own connection, certificate and rights; nothing listens on the servers. The link lets one browser in, once; then dmg prints another. From another machine use a tunnel with the same port: ssh -L PORT:127.0.0.1:PORT.",
  examples: [
    { text: "The page of the configured system", line: "web" },
    { text: "A page that cannot change anything, for a screen on the wall", line: "web --read-only --open" },
  ],
  flags: FLAGS,
  run: async (context): Promise<Answer> => {
    const { flags, terminal, emit, note } = context;
    const { WebServer } = await import("@daos/web-service");
    const { createPoolOfPage } = await import("../web/create-pool-of-page.ts");
    const { system } = await context.connect();
    const say = (link: string, what: string) => emit({ link }, `${what}\n\n  ${link}\n`);
    await using server = await WebServer.start({
      port: flags.port ?? 0,
      files: `${context.root}/dist/page`,
      connect: connector(context),
      command: context.calledAs,
      version: dmgVersion(),
      readOnly: flags["read-only"],
      createPool: createPoolOfPage,
      signal: terminal.signal,
      onAdmitted: (link) => say(link, "A browser was let in. For another one:"),
    });
    say(server.link, `The page of ${system}, until Ctrl-C. The link works once:`);
    await using opened = flags.open ? await openInBrowser(server.link) : undefined;
    if (opened?.failure !== undefined)
      note(`no browser was opened (${opened.failure}): open the link yourself`);
    await ended(terminal.signal);
    return { ...success({ ended: true }, () => ""), emitted: true };
  },
});

/** Makes a client for the page. It reads the files each time, so that renewed certificates are used. */
function connector({ connect, terminal }: CommandContext<typeof FLAGS>) {
  const known = new Set<string>();
  return async (signal: AbortSignal) => {
    const expiry = new ExpiryNotes();
    const { out, err, columns, interactive } = terminal;
    const own = { out, err, columns, interactive, signal: AbortSignal.any([signal, terminal.signal]) };
    const { client, system } = await connect({ terminal: own, expiry });
    const warnings = () => {
      for (const text of expiry.take()) known.add(text);
      return [...known];
    };
    return { client, system, warnings };
  };
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
