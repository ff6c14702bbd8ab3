import type { web } from "@daos/proto";
import { formatBytes } from "../format.ts";

/** A controller with more wear than this share of its rated life is marked. */
const WORN_PERCENT = 80;

interface ControllersProps {
  readonly controllers: readonly web.NvmeController[];
  /** The caption of the table. */
  readonly label: string;
}

/** NVMe controllers with their health. */
export function Controllers({ controllers, label }: ControllersProps) {
  if (controllers.length === 0) return <p class="quiet">No NVMe controllers.</p>;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is scrolled with the keyboard, too */}
      <section class="scroll" tabIndex={0} aria-label={label}>
        <table>
          <thead>
            <tr>
              <th>PCI address</th>
              <th>Model</th>
              <th class="number">Size</th>
              <th>Engine</th>
              <th>Driver</th>
              <th class="number">Temperature</th>
              <th class="number">Wear</th>
              <th class="number">Media errors</th>
              <th>Warnings</th>
            </tr>
          </thead>
          <tbody>
            {controllers.map((controller) => (
              <tr key={controller.address}>
                <td>
                  <code>{controller.address}</code>
                </td>
                <td>
                  {controller.model} <span class="quiet">{controller.serial}</span>
                </td>
                <td class="number">{formatBytes(controller.size)}</td>
                <td>{controller.engines.join(", ")}</td>
                <td>{controller.driver === "" ? "none" : controller.driver}</td>
                <td class="number">{controller.celsius === undefined ? "-" : `${controller.celsius} °C`}</td>
                <td class={(controller.percentUsed ?? 0) >= WORN_PERCENT ? "number warn" : "number"}>
                  {controller.percentUsed === undefined ? "-" : `${controller.percentUsed}%`}
                </td>
                <td class="number">
                  {controller.celsius === undefined ? "-" : String(controller.mediaErrors)}
                </td>
                <td class={controller.warnings.length > 0 ? "warn" : ""}>{controller.warnings.join(", ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}
