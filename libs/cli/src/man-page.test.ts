import { describe, expect, it } from "vitest";
import { filePage, programPage } from "./man-page.ts";
import type { Program } from "./program.ts";

const PROGRAM: Program = {
  name: "tool",
  summary: "Does things",
  examples: [],
  globalFlags: { help: { type: "boolean", char: "h", summary: "show help" } },
  topics: [],
  commands: [
    {
      name: "run",
      summary: "Run it",
      description: ".config files and back\\slashes are kept.",
      examples: [{ text: "Now", line: "run --now" }],
      flags: {
        now: { type: "boolean", summary: "'now' is at once" },
        old: { type: "boolean", summary: "not shown", hidden: true },
      },
    },
    { name: "complete", summary: "Not shown", hidden: true, examples: [], flags: {} },
  ],
};

describe("programPage()", () => {
  it("programPage() shows each command with its flags and examples, and escapes what roff would take for requests", () => {
    const page = programPage(PROGRAM, {
      page: "tool_d",
      version: "1.2",
      exitStatus: [[0, "Done."]],
      environment: { TOOL: "Where." },
      seeAlso: "other(8)",
    });
    expect(page).toBe(`.TH TOOL_D 8 "" "tool 1.2" "DAOS administration"
.SH NAME
tool_d, tool \\- does things
.SH SYNOPSIS
.B tool
[global flags] COMMAND [flags]
.SH GLOBAL FLAGS
They may stand before, between and after the words of a command.
.TP
.B \\-h, \\-\\-help
show help
.SH COMMANDS
.SS tool run
Run it. .config files and back\\eslashes are kept.
.TP
.B \\-\\-now
\\&'now' is at once
.PP
Now:
.RS
.nf
tool run \\-\\-now
.fi
.RE
.SH EXIT STATUS
.TP
.B 0
Done.
.SH ENVIRONMENT
.TP
.B TOOL
Where.
.SH SEE ALSO
other(8)
`);
  });
});

describe("filePage()", () => {
  it("filePage() shows what each key allows, its default and examples", () => {
    const keys = [
      {
        key: "servers[].size",
        description: "How much.",
        allowed: "a whole number",
        default: 0,
        examples: [[1, 2]],
      },
      { key: "name", description: "Who.", allowed: "text" },
    ];
    const page = filePage("tool.yml", keys, {
      version: "1.2",
      summary: "configuration of tool",
      description: ["YAML."],
      files: { "/etc/tool.yml": "The file." },
      seeAlso: "tool(8)",
    });
    expect(page).toBe(`.TH TOOL.YML 5 "" "DAOS control plane 1.2" "DAOS configuration"
.SH NAME
tool.yml \\- configuration of tool
.SH DESCRIPTION
.PP
YAML.
.SH KEYS
.TP
.B servers[].size
How much.
.br
Allowed: a whole number.
.br
Default: 0.
.br
Example: size: [1, 2]
.TP
.B name
Who.
.br
Allowed: text.
.SH FILES
.TP
.I /etc/tool.yml
The file.
.SH SEE ALSO
tool(8)
`);
  });
});
