import type { PageFault } from "../fault.ts";

/** A failure with its reason, remedy and code. */
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
