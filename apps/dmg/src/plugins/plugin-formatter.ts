import type { Formatter } from "../output/print.ts";
import { loadOclif } from "./load-oclif.ts";

/**
 * Calls the plugins' hooks `dmg:format` to write a document. The first text is used. The hook gets `format` and
 * `document`, which `--json` prints.
 */
export function pluginFormatter(root: string): Formatter {
  return async (format, document) => {
    const { config } = await loadOclif(root);
    const { successes, failures } = await config.runHook("dmg:format", { format, document });
    const texts = successes.map(({ result }) => result).filter((text) => typeof text === "string");
    if (texts[0] === undefined && failures[0] !== undefined) throw failures[0].error;
    return texts[0];
  };
}
