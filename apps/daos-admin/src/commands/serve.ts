import { defineCommand } from "../define-command.ts";
import { serve } from "../installation/serve.ts";
import { PREFIX_FLAG } from "./prefix-flag.ts";

/** `daos-admin serve`. */
export const serveCommand = defineCommand({
  name: "serve",
  summary: "Run the root service without systemd",
  examples: [{ text: "On its usual socket", line: "serve" }],
  flags: {
    prefix: PREFIX_FLAG,
    socket: { type: "string", value: "PATH", summary: "the socket it listens on" },
  },
  run: ({ prefix, socket }) => Promise.resolve(serve({ prefix, socket })),
});
