import type { Readable } from "node:stream";

/** Longer lines are cut, so that a stream without line ends cannot use up memory. */
const MAX_LINE = 8192;

/** Calls `onLine` for each line of a text stream, the last one too when it has no line end. */
export function splitLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  let cutting = false;
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!cutting && line !== "") onLine(line.slice(0, MAX_LINE));
      cutting = false;
    }
    if (rest.length > MAX_LINE) {
      if (!cutting) onLine(`${rest.slice(0, MAX_LINE)} ...`);
      cutting = true;
      rest = "";
    }
  });
  stream.on("end", () => {
    if (rest !== "" && !cutting) onLine(rest);
  });
}
