const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/**
 * Makes text of another program safe for one line of a terminal. Control characters, line ends and direction marks
 * become escapes such as `\u001b`, so that text can neither forge a row nor move the cursor.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, escapeCharacter);
}

/** The same for a text of several lines: line ends are kept. */
export function printableLines(text: string): string {
  return text.replace(UNSAFE, (character) => (character === "\n" ? character : escapeCharacter(character)));
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
