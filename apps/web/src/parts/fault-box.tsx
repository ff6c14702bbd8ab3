import type { PageFault } from "../fault.ts";

/** A failure, where it belongs: what happened, what to do, and its code. */
export function FaultBox({ fault }: { readonly fault: PageFault }) {
  return (
    <div class="fault" role="alert">
      <p class="fault-text">{fault.text}</p>
      <p>{fault.resolution}</p>
      <p class="fault-code">
        {fault.domain} {fault.code} · <code>dmg explain {fault.code}</code>
      </p>
    </div>
  );
}
