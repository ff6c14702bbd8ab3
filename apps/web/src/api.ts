import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { web } from "@daos/proto";
import type { PageFault } from "./fault.ts";

/** The name of this page's key in `localStorage`. Only pages of the same port can read it. */
const KEY = "dmg-web-key";

const withKey: Interceptor = (next) => (request) => {
  request.header.set("x-dmg-web-key", localStorage.getItem(KEY) ?? "");
  return next(request);
};

/** The calls of the page. */
export const dmg: Client<typeof web.Page> = createClient(
  web.Page,
  createConnectTransport({ baseUrl: location.origin, interceptors: [withKey] }),
);

/** Shows the token of the link to dmg, if the page was opened by a link. @returns the reason of a refusal */
export async function openSession(): Promise<PageFault | undefined> {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return undefined;
  // The link works once, so it is removed from the history.
  history.replaceState(null, "", "/#/");
  const response = await fetch("/session", { method: "POST", body: token });
  const answer = await response.json();
  if (response.ok) {
    localStorage.setItem(KEY, answer.key);
    return undefined;
  }
  const { code, domain, description, resolution } = answer.fault;
  return { code, domain, text: description, resolution };
}
