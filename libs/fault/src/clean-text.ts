/**
 * Makes the text of a peer safe to store, log and show: one line, at most `max` characters (UTF-16 units), without control
 * characters and without characters that change the text direction.
 */
export function cleanText(text: string, max: number): string {
  // Cut first, so that the rest of a very long text is not processed. A surrogate pair is not split.
  const cut = text.length > max ? `${text.slice(0, max - 3).replace(/[\uD800-\uDBFF]$/, "")}...` : text;
  return cut.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, "?");
}
