import { Fault, type FaultDomain } from "@daos/fault";

/**
 * Parses the fault in a text such as `scm: code = 207 description = "..."`. Release 0.8.0 sends faults in this form, and
 * parts of a response carry them. The second line, `scm: code = 207 resolution = "..."`, may stand in `resolution` or
 * follow.
 *
 * @returns undefined for any other text
 */
export function faultFromText(text: string, resolution = "", cause?: unknown): Fault | undefined {
  const match = /^(\w+): code = (\d+)(?: description = "(.*?)")?\s*$/ms.exec(text);
  if (match === null || match.index !== 0) return undefined;
  const [whole, domain = "general", code = "0", description = whole] = match;
  const advice =
    /resolution = "(.*)"\s*$/s.exec(`${text.slice(whole.length)}\n${resolution}`)?.[1] ?? resolution;
  return new Fault({
    domain: domain as FaultDomain,
    code: Number(code),
    description,
    resolution: advice === "" ? `see "dmg explain ${code}", and look in the server's log` : advice,
    cause,
  });
}
