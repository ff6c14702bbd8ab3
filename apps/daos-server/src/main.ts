import { execute } from "@oclif/core";
import { commandFirst } from "./command-first.ts";

const GLOBAL_OPTIONS = new Map(
  [
    { names: ["-o", "--config"], takesValue: true },
    { names: ["-b", "--debug"], takesValue: false },
    { names: ["-j", "--json"], takesValue: false },
    { names: ["--allow-proxy"], takesValue: false },
  ].flatMap(({ names, takesValue }) => names.map((name) => [name, { takesValue }] as const)),
);

await execute({ dir: import.meta.url, args: commandFirst(process.argv.slice(2), GLOBAL_OPTIONS) });
