import { faultOtherSystem } from "./faults.ts";

/** A client that names no system means the one that it asks. @throws Fault wrongSystem */
export function checkSystem(name: string, systemName: string): void {
  if (name !== "" && name !== systemName) throw faultOtherSystem(name, systemName);
}
