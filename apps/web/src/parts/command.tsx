import { useState } from "preact/hooks";

/** The dmg command that does the same, to learn it or to copy it. */
export function Command({ line }: { readonly line: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => navigator.clipboard.writeText(line).then(() => setCopied(true));
  return (
    <div class="command">
      <span class="quiet">The same on the command line</span>
      <code>{line}</code>
      <button type="button" onClick={() => void copy()}>
        {copied ? "Copied" : "Copy"}
      </button>
    </div>
  );
}
