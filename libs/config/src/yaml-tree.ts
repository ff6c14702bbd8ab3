import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Scalar,
  visit,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import { type ComposedYaml, composeYaml, type Position } from "./compose-yaml.ts";
import type { Problem } from "./problem.ts";
import { resolveYaml11, type Yaml11Value } from "./yaml11.ts";

/** Records a problem of the file. */
export type ReportProblem = (
  severity: Problem["severity"],
  key: string,
  position: Position,
  message: string,
  more?: Pick<Problem, "expected" | "suggestions">,
) => void;

/** Above the needs of any configuration. A few lines of aliases could expand to millions of nodes. */
const MAX_NODES = 50_000;
const MAX_ALIASES = 1_000;
/** The control characters that YAML 1.1 does not allow. @see YAML 1.1, c-printable */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are looked for
const CONTROL_CHARACTERS = /[\0-\x08\x0B\x0C\x0E-\x1F\x7F-\x84\x86-\x9F\uFFFE\uFFFF]/;

/** A key of a map, or of a map that is merged into it. */
export interface Entry {
  readonly key: Node;
  readonly value: Node | undefined;
  readonly merged: boolean;
}

/**
 * The nodes of a YAML text, in the terms of release 0.8.0's YAML library: aliases stand for their anchors, `<<` for the
 * keys of other maps, and a plain scalar has its meaning in YAML 1.1. It reports problems of the YAML itself.
 */
export class YamlTree {
  readonly #report: ReportProblem;
  readonly #composed: ComposedYaml;
  /** The node of each alias. Aliases without an anchor are left out. */
  readonly #targets = new Map<Alias, Node>();
  /** Nodes with an anchor that an alias refers to. */
  readonly #anchored = new Set<unknown>();
  #nodes = 0;
  #aliases = 0;

  constructor(text: string, report: ReportProblem) {
    this.#report = report;
    this.#composed = composeYaml(text);
    this.#checkCharacters(text);
    const { document, errors, second } = this.#composed;
    if (document === undefined) return;
    this.#reportErrors(errors);
    if (second !== undefined) {
      report("warning", "", this.#lineAt(second), "a second document begins here and is not read", {
        expected: "one document, without a line --- in it",
      });
    }
    this.#findAnchors(document);
  }

  /** The first node of the document; undefined for an empty text. */
  get root(): Node | undefined {
    return this.resolve(this.#composed.document?.contents);
  }

  /** False when the text is not YAML. */
  get isYaml(): boolean {
    return this.#composed.errors.length === 0;
  }

  /** Reports why the text is not YAML, without consequential errors. */
  #reportErrors(errors: readonly YAMLError[]): void {
    const end = errors.findIndex(({ message }) => message.startsWith("Unexpected scalar at node end"));
    for (const [index, { message, pos }] of errors.entries()) {
      if (end !== -1 && index > end && message.includes("token in YAML stream")) continue;
      const isLeft = index === end && this.#lineAt(pos[0]).line > 1;
      const what = isLeft
        ? "this line is indented less than the keys before it, which ends their map"
        : message;
      this.#report("error", "", this.#lineAt(pos[0]), `not YAML: ${what}`, {
        expected: isLeft ? "keys of one map in the same column" : undefined,
      });
    }
  }

  /** Names the first control character, which YAML does not allow in any place. */
  #checkCharacters(text: string): void {
    const at = text.search(CONTROL_CHARACTERS);
    if (at === -1) return;
    const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, "0");
    const lines = text.slice(0, at).split(/\r\n|[\r\n]/);
    const position = { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
    this.#report("error", "", position, `not YAML: the control character U+${code}`, {
      expected: 'text, or an escape in double quotes such as "\\x07"',
    });
  }

  /** Finds the node of each alias: the last node before it that has the anchor. */
  #findAnchors(document: Document.Parsed): void {
    const anchors = new Map<string, Node>();
    visit(document, {
      Alias: (_key, alias) => {
        const target = anchors.get(alias.source);
        if (target === undefined) {
          this.#report("error", "", this.at(alias), `*${alias.source} refers to nothing`, {
            expected: `a value with the anchor &${alias.source} before it`,
          });
          return;
        }
        this.#targets.set(alias, target);
        this.#anchored.add(target);
      },
      Value: (_key, node) => {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
      },
    });
  }

  /**
   * The keys of a map in order of rising precedence: those of merged maps (`<<: *defaults`; of a list of maps, the
   * first map comes last), then its own. In release 0.8.0 a merge overrides the keys before it; a warning names such
   * keys.
   *
   * @param around the maps that this one is merged into
   * @see yaml.v2 decode.go merge
   */
  entries(map: YAMLMap, around: readonly YAMLMap[] = []): readonly Entry[] {
    const inherited: Entry[] = [];
    const own: Entry[] = [];
    for (const pair of map.items) {
      const key = pair.key as Node;
      const value = (pair.value as Node | null) ?? undefined;
      if (!isMergeKey(key)) {
        own.push({ key, value, merged: around.length > 0 });
        continue;
      }
      const merged = this.#mergedEntries(key, value, [...around, map]);
      this.#warnOfOverridden(own, merged);
      inherited.push(...merged);
    }
    return [...inherited, ...own];
  }

  #mergedEntries(key: Node, value: Node | undefined, around: readonly YAMLMap[]): readonly Entry[] {
    const source = this.resolve(value);
    if (isSeq(source) && isAlias(value)) {
      this.#report("note", "<<", this.at(value), "an alias of a list; release 0.8.0 does not merge it", {
        expected: "the list itself, as in <<: [*a, *b]",
      });
    }
    const maps = isSeq(source) ? source.items.map((item) => this.resolve(item as Node)).reverse() : [source];
    return maps.flatMap((from) => {
      if (isMap(from) && !around.includes(from)) return this.entries(from, around);
      // An alias without an anchor, or too many aliases, was reported already.
      if (from !== undefined) {
        const what = isMap(from) ? "a map that contains itself" : "nothing that can be merged";
        this.#report("error", "<<", this.at(value ?? key), what, {
          expected: "an alias of keys and values, or a list of them",
        });
      }
      return [];
    });
  }

  #warnOfOverridden(own: readonly Entry[], merged: readonly Entry[]): void {
    for (const { key, value } of own) {
      const name = this.nameOf(key);
      const other = merged.findLast((entry) => this.nameOf(entry.key) === name);
      if (other?.value === undefined || value === undefined) continue;
      const [here, there] = [this.show(value), this.show(other.value)];
      if (here === there) continue;
      this.#report(
        "warning",
        name,
        this.at(key),
        `${here} counts; release 0.8.0 takes ${there}, because << comes after it`,
        {
          expected: "<< before the keys that it does not give",
        },
      );
    }
  }

  /** The key as text. An alias can stand for it. */
  nameOf(key: Node): string {
    const node = isAlias(key) ? (this.#targets.get(key) ?? key) : key;
    return isScalar(node) ? (node.source ?? "") : this.show(key);
  }

  /** True when an alias refers to this node or to one below it. */
  isAnchored(value: Node): boolean {
    let found = false;
    visit(value, (_key, node) => {
      found ||= this.#anchored.has(node);
      return found ? visit.BREAK : undefined;
    });
    return found;
  }

  /** True for a node that YAML 1.1 reads as null. */
  isNull(node: Node | undefined): boolean {
    return isScalar(node) && resolveNode(node).kind === "null";
  }

  /** The source text of a node, on one line and shortened. */
  show(node: Node): string {
    if (isScalar(node) && node.source === "" && node.type === "PLAIN") return "nothing";
    const [start, end] = node.range ?? [0, 0];
    const text =
      isScalar(node) && resolveNode(node).kind === "text"
        ? JSON.stringify(node.value)
        : this.#composed.source.slice(start, end).replace(/\s+/g, " ").trim();
    return text.length > 60 ? `${text.slice(0, 57)}...` : text;
  }

  /** The node, or the node of an alias; undefined for an alias without an anchor, or beyond the limit. */
  resolve(node: Node | null | undefined): Node | undefined {
    if (node === null || node === undefined) return undefined;
    if (!isAlias(node)) return node;
    this.#aliases += 1;
    if (this.#aliases === MAX_ALIASES) this.#reportTooMany(node, `more than ${MAX_ALIASES} aliases`);
    return this.#aliases < MAX_ALIASES ? this.#targets.get(node) : undefined;
  }

  /** False when the limit of nodes is reached. */
  isWithinBounds(at: Node): boolean {
    this.#nodes += 1;
    if (this.#nodes === MAX_NODES) this.#reportTooMany(at, `more than ${MAX_NODES} keys and values`);
    return this.#nodes < MAX_NODES;
  }

  #reportTooMany(at: Node, what: string): void {
    this.#report("error", "", this.at(at), `the file expands to ${what}`, { expected: "fewer" });
  }

  /** Where a node stands. */
  at(node: Node): Position {
    return this.#lineAt(node.range?.[0] ?? 0);
  }

  #lineAt(offset: number): Position {
    return this.#composed.positionAt(offset);
  }
}

function isMergeKey(key: Node): boolean {
  return (
    isScalar(key) && key.source === "<<" && (key.type === "PLAIN" || key.tag === "tag:yaml.org,2002:merge")
  );
}

/** The meaning of a scalar in YAML 1.1. */
export function resolveNode(node: Scalar): Yaml11Value {
  return resolveYaml11({ text: node.source ?? "", plain: node.type === "PLAIN", tag: node.tag });
}

/** The kind of a node, in words. */
export function kindOf(node: Node): string {
  if (isMap(node)) return "a map";
  if (isSeq(node)) return "a list";
  if (!isScalar(node)) return "of an unknown kind";
  switch (resolveNode(node).kind) {
    case "null":
      return "nothing";
    case "boolean":
      return "a boolean";
    case "number":
      return "a number";
    case "text":
    case "invalid":
      return "a string";
  }
}
