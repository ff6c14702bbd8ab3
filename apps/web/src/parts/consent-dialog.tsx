import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type PageFault, toPageFault } from "../fault.ts";
import { Command } from "./command.tsx";
import { FaultBox } from "./fault-box.tsx";

interface ConsentDialogProps<T> {
  readonly title: string;
  /** Of the button that does it. */
  readonly label: string;
  readonly isDanger: boolean;
  /** The dmg command that does the same. */
  readonly command: string;
  /** What has to be typed first, and why. */
  readonly mustType?: { readonly text: string; readonly why: string } | undefined;
  /** Why it cannot be done as the fields are. */
  readonly isDisabled?: boolean;
  readonly run: () => Promise<T>;
  /** What came of it. Without it, the dialog closes when it is done. */
  readonly outcome?: (answer: T) => ComponentChildren;
  readonly onClose: () => void;
  /** What is hit, and the fields. */
  readonly children: ComponentChildren;
}

type Progress<T> =
  | { readonly kind: "asking" }
  | { readonly kind: "working" }
  | { readonly kind: "done"; readonly answer: T }
  | { readonly kind: "failed"; readonly fault: PageFault };

/** Says what an action hits and which command does the same, asks for consent, and shows what came of it. */
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
