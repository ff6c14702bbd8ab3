import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HelperLocation } from "../helper-location.ts";
import { type HandlersOf, type MethodTable, sameHandlers } from "../method-table.ts";
import { type HelperOutcome, serveRequest } from "../serve-request.ts";

/** A helper in this process: `serveRequest` behind a real socket. */
export interface SocketHelper<T extends MethodTable> extends AsyncDisposable {
  readonly location: HelperLocation & { readonly kind: "socket" };
  /** The outcomes of the requests, in order. */
  readonly outcomes: readonly HelperOutcome<T>[];
}

/** Serves the requests of a table. Methods without a handler fail. */
export async function socketHelper<T extends MethodTable>(
  methods: T,
  handlers: Partial<HandlersOf<T>>,
): Promise<SocketHelper<T>> {
  const directory = await mkdtemp(join(tmpdir(), "daos-helper-"));
  const path = join(directory, "helper.sock");
  const outcomes: HelperOutcome<T>[] = [];
  const all = {
    ...sameHandlers(methods, () => Promise.reject(new Error("this test has no handler for it"))),
    ...handlers,
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    void serveRequest({ input: socket, output: socket }, { methods, handlers: all }).then((outcome) =>
      outcomes.push(outcome),
    );
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    location: { kind: "socket", path },
    outcomes,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await rm(directory, { recursive: true });
    },
  };
}
