const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/**
 * A text of another program, safe inside one line of a terminal: control characters, line ends and marks that turn the
 * direction of writing become escapes such as `\u001b`, so that no text can forge a row or move the cursor.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, escapeCharacter);
}

/** The same for a text of several lines: their ends stay. */
export function printableLines(text: string): string {
  return text.replace(UNSAFE, (character) => (character === "\n" ? character : escapeCharacter(character)));
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
