/** Moves the focus in a map of cells with the arrow keys, Home and End. Tab reaches the focused cell. */
export function moveInMap(event: KeyboardEvent): void {
  const { target, currentTarget, key } = event;
  if (!(target instanceof HTMLElement) || !(currentTarget instanceof HTMLElement)) return;
  const cells = [...currentTarget.querySelectorAll<HTMLElement>(".cell:not([hidden])")];
  const next = nextCell(cells, target, key);
  if (next === undefined) return;
  event.preventDefault();
  for (const cell of target.closest(".cells")?.querySelectorAll<HTMLElement>("[tabindex='0']") ?? []) {
    cell.tabIndex = -1;
  }
  next.tabIndex = 0;
  next.focus();
}

function nextCell(cells: readonly HTMLElement[], from: HTMLElement, key: string): HTMLElement | undefined {
  const at = cells.indexOf(from);
  if (at < 0) return undefined;
  switch (key) {
    case "ArrowRight":
      return cells[at + 1];
    case "ArrowLeft":
      return cells[at - 1];
    case "Home":
      return cells[0];
    case "End":
      return cells.at(-1);
    case "ArrowDown":
      return nearest(cells.slice(at + 1), from);
    case "ArrowUp":
      return nearest(cells.slice(0, at).reverse(), from);
    default:
      return undefined;
  }
}

/** The cell in the next line that is closest to the focus. */
function nearest(cells: readonly HTMLElement[], from: HTMLElement): HTMLElement | undefined {
  const { top, left } = from.getBoundingClientRect();
  let line: number | undefined;
  let best: { readonly cell: HTMLElement; readonly distance: number } | undefined;
  for (const cell of cells) {
    const box = cell.getBoundingClientRect();
    if (Math.abs(box.top - top) < 2) continue;
    line ??= box.top;
    if (Math.abs(box.top - line) > 2) break;
    const distance = Math.abs(box.left - left);
    if (best === undefined || distance < best.distance) best = { cell, distance };
  }
  return best?.cell;
}

/** Ensures that each group has one cell that Tab reaches, also when a filter hides cells. */
export function keepTabStops(map: HTMLElement | null): void {
  for (const group of map?.querySelectorAll(".cells") ?? []) {
    if (group.querySelector("[tabindex='0']:not([hidden])") !== null) continue;
    const first = group.querySelector<HTMLElement>(".cell:not([hidden])");
    if (first !== null) first.tabIndex = 0;
  }
}
