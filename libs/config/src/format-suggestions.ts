/** `; did you mean "a" or "b"?`, or nothing when there is no suggestion. */
export function formatSuggestions(suggestions: readonly string[] | undefined): string {
  if (suggestions === undefined || suggestions.length === 0) return "";
  return `; did you mean ${suggestions.map((word) => JSON.stringify(word)).join(" or ")}?`;
}
