/**
 * How many single edits (insert, delete, replace a character, swap two neighbours) lead from one word to the other:
 * the optimal string alignment distance.
 */
export function editDistance(a: string, b: string): number {
  const width = b.length + 1;
  let before: number[] = [];
  let previous = Array.from({ length: width }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column < width; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (before[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** Longer words cannot be a typo of any key, and must not cost quadratic time. */
const LONGEST_WORD = 64;

/**
 * The candidate that was probably meant by a mistyped word: letter case and `-` for `_` count as half a mistake, and a
 * third of the word's length (at least 1, at most 3) may be wrong. `undefined` when none is that close.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > LONGEST_WORD) return undefined;
  const plain = normalize(word);
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const folded = editDistance(plain, normalize(candidate));
    const distance = Math.min(editDistance(word, candidate), folded + 0.5);
    const allowed = Math.max(1, Math.min(3, Math.floor(candidate.length / 3)));
    if (folded <= allowed && (best === undefined || distance < best.distance)) {
      best = { candidate, distance };
    }
  }
  return best?.candidate;
}

function normalize(word: string): string {
  return word.toLowerCase().replaceAll("-", "_");
}
