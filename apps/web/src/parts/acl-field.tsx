import type { AclText } from "../acl-text.ts";

interface AclFieldProps {
  readonly text: string;
  readonly acl: AclText;
  readonly onText: (text: string) => void;
  readonly isReadOnly?: boolean;
}

/** An input for an access control list, with checks while typing. */
export function AclField({ text, acl, onText, isReadOnly = false }: AclFieldProps) {
  const lines = text.split("\n").length;
  return (
    <div class="acl">
      <label class="field">
        Access control list, one entry a line
        <textarea
          rows={Math.max(4, lines + 1)}
          spellcheck={false}
          readOnly={isReadOnly}
          value={text}
          placeholder="A::OWNER@:rw"
          aria-invalid={acl.problems.length > 0}
          aria-describedby="acl-problems"
          onInput={({ currentTarget }) => onText(currentTarget.value)}
        />
      </label>
      <div id="acl-problems" class="acl-problems" role="status">
        {acl.problems.map(({ line, text: problem }) => (
          <p key={line}>
            Line {line}: {problem}
          </p>
        ))}
      </div>
    </div>
  );
}
