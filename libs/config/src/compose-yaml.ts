import { Composer, type Document, LineCounter, Parser, visit, type YAMLError } from "yaml";

/** A place in a file, from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A text as a tree of nodes, whose ranges are offsets in `source`. */
export interface ComposedYaml {
  /** The first document; `undefined` for an empty text. */
  readonly document: Document.Parsed | undefined;
  /** Where a second document begins, an offset. */
  readonly second: number | undefined;
  /** Why the text is not YAML. */
  readonly errors: readonly YAMLError[];
  /** The text, with other line ends and indentation where YAML 1.2 asks for it. */
  readonly source: string;
  /** The place of an offset in the text as it was given. */
  positionAt(offset: number): Position;
}

/**
 * The line ends that YAML 1.1 has and 1.2 does not: a carriage return alone, NEL, LS and PS. Each is one code unit, so
 * that offsets do not change.
 */
const OTHER_LINE_ENDS = /\r(?!\n)|[\u0085\u2028\u2029]/g;
/**
 * Maximum length of text that is read again to correct indentation, in characters; beyond the needs of any
 * configuration.
 */
const MAX_MENDED = 1024 * 1024;

/**
 * Parses YAML by the looser rules of YAML 1.1, as release 0.8.0 does: lines of a flow collection or of a quoted text
 * may begin anywhere, a comment may follow a bracket at once, and NEL ends a line. The parser implements YAML 1.2,
 * which is stricter, so such lines are indented first.
 *
 * @see libyaml scanner.c yaml_parser_fetch_next_token, which looks at indentation outside of flow collections only
 */
export function composeYaml(text: string): ComposedYaml {
  const source = text.replace(OTHER_LINE_ENDS, "\n");
  const first = compose(source, new Map());
  if (first.errors.length === 0) return first;
  const pad = " ".repeat(deepestIndentation(source) + 1);
  const padded = new Map<number, number>();
  let current = first;
  for (let budget = MAX_MENDED - source.length; budget > 0; budget -= current.source.length) {
    const line = lineToIndent(current);
    if (line === undefined || padded.has(line)) break;
    padded.set(line, pad.length);
    current = compose(insertBefore(current.source, line, pad), padded);
    if (current.errors.length === 0) return current;
  }
  return first;
}

function compose(source: string, padded: ReadonlyMap<number, number>): ComposedYaml {
  const lines = new LineCounter();
  const parser = new Parser((offset) => lines.addNewLine(offset));
  // Scalars stay text and keep their tags: resolveYaml11() gives them their meaning.
  const composer = new Composer({
    uniqueKeys: false,
    logLevel: "silent",
    schema: "failsafe",
    resolveKnownTags: false,
  });
  let document: Document.Parsed | undefined;
  let second: number | undefined;
  for (const one of composer.compose(parser.parse(source), true, source.length)) {
    if (document !== undefined) {
      second = one.contents?.range?.[0] ?? one.range[0];
      break;
    }
    document = one as Document.Parsed;
  }
  if (document !== undefined && !source.endsWith("\n")) endBlockText(document, source.length);
  return {
    document,
    second,
    source,
    errors: (document?.errors ?? []).filter(({ message }) => !COMMENT_AT_ONCE.test(message)),
    positionAt: (offset) => {
      const { line, col } = lines.linePos(offset);
      return { line: Math.max(line, 1), column: Math.max(col - (padded.get(line) ?? 0), 1) };
    },
  };
}

/** A block text at the end of a file without a last line end has none either; the parser adds one. */
function endBlockText(document: Document.Parsed, end: number): void {
  visit(document, {
    Scalar: (_key, node) => {
      if (!node.type?.startsWith("BLOCK_") || (node.range?.[1] ?? 0) < end) return;
      node.source = node.source?.replace(/\n$/, "");
      node.value = node.source;
    },
  });
}

/** The parser's error for `[a]#c`. It reads the comment correctly nevertheless. */
const COMMENT_AT_ONCE = /^Comments must be separated/;
/** The parser's error for a line of a flow collection or of a quoted text that begins too far to the left. */
const INDENTATION = /^Flow (?:sequence|map) in block collection must be|^Missing closing ["']quote/;

/** The number of the line, from 1, that the parser takes for the end of a flow collection or of a quoted text. */
function lineToIndent({ errors, source }: ComposedYaml): number | undefined {
  const error = errors.find(({ message }) => INDENTATION.test(message));
  if (error === undefined) return undefined;
  const [offset] = error.pos;
  const here = source.lastIndexOf("\n", offset - 1) + 1;
  const start = /^ *$/.test(source.slice(here, offset)) ? here : source.indexOf("\n", offset) + 1;
  if (start === 0) return undefined;
  const rest = source.slice(start);
  // A marker ends the document in any place.
  const text = rest.search(/\S/);
  if (text === -1 || /^(?:---|\.\.\.)(?:\s|$)/.test(rest.slice(rest.lastIndexOf("\n", text) + 1)))
    return undefined;
  return source.slice(0, start + text).split("\n").length;
}

function insertBefore(source: string, line: number, pad: string): string {
  let start = 0;
  for (let number = 1; number < line; number++) start = source.indexOf("\n", start) + 1;
  return `${source.slice(0, start)}${pad}${source.slice(start)}`;
}

function deepestIndentation(source: string): number {
  let deepest = 0;
  for (const [spaces] of source.matchAll(/^ +/gm)) deepest = Math.max(deepest, spaces.length);
  return deepest;
}
