import { signal } from "@preact/signals";

/** The current page with its subject: `#/host/node1:10001`. */
export interface Route {
  readonly page: string;
  readonly of: string;
}

export const route = signal<Route>(read());

addEventListener("hashchange", () => {
  route.value = read();
  scrollTo(0, 0);
});

/** The link to a page. */
export function linkTo(page: string, of = ""): string {
  return of === "" ? `#/${page}` : `#/${page}/${encodeURIComponent(of)}`;
}

function read(): Route {
  const [page = "", of = ""] = location.hash.replace(/^#\//, "").split("/", 2);
  try {
    return { page: page === "" ? "overview" : page, of: decodeURIComponent(of) };
  } catch {
    return { page: "overview", of: "" };
  }
}
