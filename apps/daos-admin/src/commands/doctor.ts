import { defineCommand } from "../define-command.ts";
import { doctor } from "../installation/doctor.ts";

/** `daos-admin doctor`. */
export const doctorCommand = defineCommand({
  name: "doctor",
  summary: "Check an installation, and show how to repair it",
  examples: [{ text: "The installation in /usr/local", line: "doctor --prefix /usr/local" }],
  flags: {
    prefix: {
      type: "string",
      value: "DIR",
      summary: "where the helper is installed (default the usual places)",
    },
    json: { type: "boolean", char: "j", summary: "print the findings as JSON" },
  },
  run: ({ prefix, json }, say) => Promise.resolve(doctor({ prefix, json, say })),
});
