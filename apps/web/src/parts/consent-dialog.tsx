import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type PageFault, toPageFault } from "../fault.ts";
import { Command } from "./command.tsx";
import { FaultBox } from "./fault-box.tsx";

interface ConsentDialogProps<T> {
  readonly title: string;
  /** The label of the confirming button. */
  readonly label: string;
  readonly isDanger: boolean;
  /** The dmg command that does the same. */
  readonly command: string;
  /** The text that must be typed first, and the reason. */
  readonly mustType?: { readonly text: string; readonly why: string } | undefined;
  /** The problem of the fields, if any. */
  readonly isDisabled?: boolean;
  readonly run: () => Promise<T>;
  /** The result. Without it, the dialog closes after a success. */
  readonly outcome?: (answer: T) => ComponentChildren;
  readonly onClose: () => void;
  /** The affected objects, and the fields. */
  readonly children: ComponentChildren;
}

type Progress<T> =
  | { readonly kind: "asking" }
  | { readonly kind: "working" }
  | { readonly kind: "done"; readonly answer: T }
  | { readonly kind: "failed"; readonly fault: PageFault };

/** Shows the affected objects of an action and the equivalent command, asks for consent, and shows the result. */
export function ConsentDialog<T>(props: ConsentDialogProps<T>) {
  const { title, label, isDanger, command, mustType, isDisabled = false, run, outcome, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [progress, setProgress] = useState<Progress<T>>({ kind: "asking" });
  const [typed, setTyped] = useState("");
  useEffect(() => dialog.current?.showModal(), []);
  const act = async () => {
    setProgress({ kind: "working" });
    try {
      const answer = await run();
      if (outcome === undefined) dialog.current?.close();
      else setProgress({ kind: "done", answer });
    } catch (error) {
      setProgress({ kind: "failed", fault: toPageFault(error) });
    }
  };
  const isOver = progress.kind === "done";
  const mayAct = progress.kind === "asking" || progress.kind === "failed";
  return (
    <dialog ref={dialog} aria-labelledby="consent-title" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (mayAct) void act();
        }}
      >
        <h2 id="consent-title">{title}</h2>
        <fieldset class="fields" disabled={!mayAct}>
          {props.children}
          {mayAct && mustType !== undefined && (
            <label class="field">
              {mustType.why}
              <input value={typed} onInput={({ currentTarget }) => setTyped(currentTarget.value)} />
            </label>
          )}
        </fieldset>
        <Command line={command} />
        {progress.kind === "failed" && <FaultBox fault={progress.fault} />}
        {progress.kind === "done" && outcome?.(progress.answer)}
        <div class="dialog-buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            {isOver || progress.kind === "failed" ? "Close" : "Cancel"}
          </button>
          {!isOver && (
            <button
              type="submit"
              class="primary"
              data-danger={isDanger}
              disabled={!mayAct || isDisabled || (mustType !== undefined && typed !== mustType.text)}
            >
              {progress.kind === "working" ? "Working …" : label}
            </button>
          )}
        </div>
      </form>
    </dialog>
  );
}
