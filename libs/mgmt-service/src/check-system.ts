import { faultOtherSystem } from "./faults.ts";

/** A client without a system name asks for the system of this host. @throws Fault wrongSystem */
export function checkSystem(name: string, systemName: string): void {
  if (name !== "" && name !== systemName) throw faultOtherSystem(name, systemName);
}
