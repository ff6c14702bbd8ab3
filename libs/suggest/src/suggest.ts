/**
 * The number of single edits (insert, delete or replace a character, swap two neighbours) between two words: the optimal
 * string alignment distance.
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

/** Longer words are not typos of a key. The limit bounds the quadratic run time. */
const MAX_WORD_LENGTH = 64;

/**
 * The candidates at the smallest distance from a mistyped word. Letter case and `-` for `_` count as half an edit. The
 * distance is at most a third of the word's length (at least 1, at most 3).
 */
export function suggest(word: string, candidates: Iterable<string>): readonly string[] {
  if (word.length > MAX_WORD_LENGTH) return [];
  const plain = normalize(word);
  let best: string[] = [];
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const allowed = Math.max(1, Math.min(3, Math.floor(candidate.length / 3)));
    if (Math.abs(candidate.length - word.length) > allowed) continue;
    const folded = editDistance(plain, normalize(candidate));
    if (folded > allowed) continue;
    const distance = Math.min(editDistance(word, candidate), folded + 0.5);
    if (distance < bestDistance) best = [candidate];
    else if (distance === bestDistance) best.push(candidate);
    bestDistance = Math.min(bestDistance, distance);
  }
  return best;
}

/** The closest candidate for a mistyped or shortened word: a longer word that begins with it, or else a suggestion. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const longer = word.length > 1 ? candidates.find((candidate) => candidate.startsWith(word)) : undefined;
  return longer ?? suggest(word, candidates)[0];
}

function normalize(word: string): string {
  return word.toLowerCase().replaceAll("-", "_");
}
