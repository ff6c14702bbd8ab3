/**
 * A text of a peer as it may be kept, logged and shown: on one line, at most `max` characters (UTF-16 units), without control
 * characters, and without the characters that change the direction of what follows them.
 */
export function cleanText(text: string, max: number): string {
  // Cut first, so that the rest of a very long text is not worked on; a pair of surrogates is not cut in two.
  const cut = text.length > max ? `${text.slice(0, max - 3).replace(/[\uD800-\uDBFF]$/, "")}...` : text;
  return cut.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, "?");
}
