import { suggest } from "@daos/suggest";
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
import * as z from "zod";
import { type ComposedYaml, composeYaml, type Position } from "./compose-yaml.ts";
import { describeAllowed, unwrap } from "./describe-schema.ts";
import type { FileKind } from "./file-kind.ts";
import { describeOtherReleaseKey, otherReleaseKey } from "./other-releases.ts";
import type { Problem } from "./problem.ts";
import { resolveYaml11, type Yaml11Value } from "./yaml11.ts";

export type { Position } from "./compose-yaml.ts";

/** The result of reading a YAML file with a schema: values of the right kind and their places. */
export interface YamlReading {
  /** Plain data with the schema's keys only. Invalid values are left out. */
  readonly data: Record<string, unknown>;
  /** False when the text is not YAML or not a map. Then its keys cannot be checked. */
  readonly readable: boolean;
  readonly problems: readonly Problem[];
  /** Keys that mistyped keys probably stand for. They are not reported as missing. */
  readonly meant: ReadonlySet<string>;
  /** Where the value at a path stands; `undefined` when the file has none. */
  exactPositionOf(path: string): Position | undefined;
  /** Where the value at a path such as `servers[0].scm_class` stands, or the nearest section around it. */
  positionOf(path: string): Position | undefined;
}

/** Larger files are not configurations and would take long to read. */
export const MAX_FILE_BYTES = 1024 * 1024;
const DEEPEST_SECTION = 8;
/**
 * Keys that only a server's file has, here and in DAOS 2.x. When one is found in a client's file, the other keys are not
 * reported one by one.
 */
const SERVER_ONLY: ReadonlySet<string> = new Set(["servers", "engines"]);
/** Top-level keys that release 0.8.0 does not know. A file for it may use such a name for an anchor. */
export const LATER_KEYS: ReadonlySet<string> = new Set([
  "allow_insecure_devices",
  "audit_log_file",
  "engine",
  "failure_detection",
  "listen_address",
  "spdk_socket",
  "system_db",
  "telemetry_address",
  "telemetry_port",
  "telemetry_tls",
]);
/** Keys whose words release 0.8.0 reads in lower case only. */
const LOWER_CASE_KEYS: ReadonlySet<string> = new Set(["scm_class", "bdev_class"]);
/** Above the needs of any configuration. A few lines of aliases could expand to millions of nodes. */
const MAX_NODES = 50_000;
const MAX_ALIASES = 1_000;
/** Those that YAML 1.1 does not allow. @see YAML 1.1, c-printable */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are looked for
const CONTROL_CHARACTERS = /[\0-\x08\x0B\x0C\x0E-\x1F\x7F-\x84\x86-\x9F\uFFFE\uFFFF]/;

/**
 * Reads YAML with a schema of objects, lists and scalars. Accepts what release 0.8.0's YAML library accepts: a repeated key
 * (the last one counts, with a warning), the scalars of YAML 1.1, numbers where text is wanted, `null` and empty text as
 * absent, merge keys; and words of a fixed set in any letter case. Only the first document counts.
 *
 * @param file the name for the problems
 */
export function readYaml(text: string, file: string, schema: z.ZodObject, kind: FileKind): YamlReading {
  return new YamlReader(file, kind, schema).read(text);
}

/** A key of a map, or of a map that is merged into it. */
interface Entry {
  readonly key: Node;
  readonly value: Node | undefined;
  readonly merged: boolean;
}

class YamlReader {
  readonly #file: string;
  #composed: ComposedYaml = composeYaml("");
  readonly #kind: FileKind;
  readonly #root: z.ZodObject;
  readonly #problems: Problem[] = [];
  readonly #positions = new Map<string, Position>();
  /** What aliases stand for; an alias without an anchor is not in it. */
  readonly #targets = new Map<Alias, Node>();
  /** Nodes with an anchor that an alias refers to. */
  readonly #anchored = new Set<unknown>();
  #nodes = 0;
  #aliases = 0;
  /** Keys that mistyped ones were probably meant to be. */
  readonly #meant = new Set<string>();

  constructor(file: string, kind: FileKind, root: z.ZodObject) {
    this.#file = file;
    this.#kind = kind;
    this.#root = root;
  }

  read(text: string): YamlReading {
    const data = this.#readText(text, this.#root);
    return {
      data: data ?? {},
      readable: data !== undefined,
      problems: this.#problems,
      meant: this.#meant,
      exactPositionOf: (path) => this.#positions.get(path),
      positionOf: (path) => {
        let current = path;
        for (;;) {
          const position = this.#positions.get(current);
          if (position !== undefined || current === "") return position;
          current = current.replace(/(^|\.)[^.[]*$|\[\d+\]$/, "");
        }
      },
    };
  }

  #readText(text: string, schema: z.ZodObject): Record<string, unknown> | undefined {
    if (text.length > MAX_FILE_BYTES) {
      this.#report("error", "", { line: 1, column: 1 }, "the file is too long", {
        expected: `at most ${MAX_FILE_BYTES} characters`,
      });
      return undefined;
    }
    this.#composed = composeYaml(text);
    const { document, errors, second } = this.#composed;
    this.#checkCharacters(text);
    if (document === undefined) return {};
    this.#reportErrors(errors);
    if (second !== undefined) {
      this.#report("warning", "", this.#lineAt(second), "a second document begins here and is not read", {
        expected: "one document, without a line --- in it",
      });
    }
    this.#findAnchors(document);
    const root = this.#resolve(document.contents);
    if (errors.length > 0) return undefined;
    if (root === undefined || this.#isNull(root)) return {};
    if (!isMap(root)) {
      this.#report("error", "", this.#at(root), `${this.#show(root)} is not a configuration`, {
        expected: "keys and values, as in name: daos_server",
      });
      return undefined;
    }
    const engines = root.items.find(({ key }) => isScalar(key) && SERVER_ONLY.has(key.source ?? ""));
    if (this.#kind === "client" && engines !== undefined) {
      this.#report("error", "", this.#at(engines.key as Node), "this is a server's configuration", {
        expected: "a client's, as dmg has in daos.yml",
      });
      return undefined;
    }
    return this.#readMap(root, schema, "");
  }

  /** Reports why the text is no YAML, without the errors that only follow from one before them. */
  #reportErrors(errors: readonly YAMLError[]): void {
    const end = errors.findIndex(({ message }) => message.startsWith("Unexpected scalar at node end"));
    for (const [index, { message, pos }] of errors.entries()) {
      if (end !== -1 && index > end && message.includes("token in YAML stream")) continue;
      const isLeft = index === end && this.#lineAt(pos[0]).line > 1;
      const what = isLeft ? "this stands further left than the keys before it, which ends them" : message;
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

  /** Finds what each alias stands for: the last node before it that has the anchor. */
  #findAnchors(document: Document.Parsed): void {
    const anchors = new Map<string, Node>();
    visit(document, {
      Alias: (_key, alias) => {
        const target = anchors.get(alias.source);
        if (target === undefined) {
          this.#report("error", "", this.#at(alias), `*${alias.source} refers to nothing`, {
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

  #readValue(value: Node, schema: z.ZodType, path: string): unknown {
    if (!this.#isWithinBounds(value)) return undefined;
    const node = this.#resolve(value);
    this.#positions.set(path, this.#at(value));
    if (node === undefined || this.#isNull(node)) return undefined;
    const inner = unwrap(schema);
    if (inner instanceof z.ZodObject) {
      return isMap(node) ? this.#readMap(node, inner, path) : this.#wrongKind(node, value, inner, path);
    }
    if (inner instanceof z.ZodArray) {
      if (!isSeq(node)) return this.#wrongKind(node, value, inner, path);
      const element = inner.element as z.ZodType;
      return node.items.map((item, index) => {
        const itemPath = `${path}[${index}]`;
        const read = this.#readValue(item as Node, element, itemPath);
        if (read !== undefined) return read;
        if (this.#isEmpty(this.#resolve(item as Node), element)) {
          if (unwrap(element) instanceof z.ZodObject) return {};
          this.#report("error", itemPath, this.#at(item as Node), "the entry is empty", {
            expected: describeAllowed(element),
          });
        }
        return undefined;
      });
    }
    if (!isScalar(node)) return this.#wrongKind(node, value, inner, path);
    if (this.#isEmpty(node, inner)) return undefined;
    return this.#readScalar(node, value, inner, path);
  }

  #readScalar(node: Scalar, at: Node, schema: z.ZodType, path: string): unknown {
    const value = resolveNode(node);
    const note = (message: string, expected: string) =>
      this.#report("note", path, this.#at(at), message, { expected });
    switch (value.kind) {
      case "invalid":
        this.#report("error", path, this.#at(at), value.reason, { expected: describeAllowed(schema) });
        return undefined;
      case "boolean":
        if (schema instanceof z.ZodBoolean) return value.value;
        break;
      case "number":
        if (schema instanceof z.ZodNumber) {
          if (!Number.isFinite(value.value)) {
            this.#report("error", path, this.#at(at), `${this.#show(node)} is too large`, {
              expected: describeAllowed(schema),
            });
            return undefined;
          }
          if (value.onlyHere) {
            note(
              `${this.#show(node)} is read as ${value.value}; release 0.8.0 does not read it`,
              `${value.value}`,
            );
          }
          return value.value;
        }
        break;
      case "null":
      case "text":
        break;
    }
    if (schema instanceof z.ZodBoolean || schema instanceof z.ZodNumber) {
      return this.#wrongKind(node, at, schema, path);
    }
    const text = value.kind === "text" ? value.text : (node.source ?? "");
    if (!(schema instanceof z.ZodEnum)) return text;
    const options = schema.options.map(String);
    const option = options.find((word) => word.toLowerCase() === text.toLowerCase()) ?? text;
    if (option !== text && options.includes(option) && LOWER_CASE_KEYS.has(path.replace(/^.*\./, ""))) {
      note(`${text} is read as ${option}; release 0.8.0 does not read it`, option);
    }
    return option;
  }

  #readMap(map: YAMLMap, schema: z.ZodObject, path: string): Record<string, unknown> {
    if (!this.#positions.has(path)) this.#positions.set(path, this.#at(map));
    const result: Record<string, unknown> = {};
    const seen = new Map<string, Position>();
    const mistyped: [name: string, value: Node | undefined][] = [];
    const entries = this.#entries(map, []);
    const own = new Set(entries.filter(({ merged }) => !merged).map(({ key }) => this.#nameOf(key)));
    for (const { key, value, merged } of entries) {
      if (!this.#isWithinBounds(key)) break;
      const name = this.#nameOf(key);
      const keyPath = path === "" ? name : `${path}.${name}`;
      const position = this.#at(key);
      const known = Object.hasOwn(schema.shape, name) ? (schema.shape[name] as z.ZodType) : undefined;
      if (path === "" && this.#holdsAnchor(name, value, known)) {
        const suggestions =
          known === undefined && !name.startsWith("x-") ? suggest(name, Object.keys(schema.shape)) : [];
        if (suggestions.length > 0) {
          this.#report("warning", name, position, "unknown key, of which only the anchor is used", {
            suggestions,
          });
        }
        continue;
      }
      if (known === undefined) {
        if (name.startsWith("x-")) continue;
        const anchor = path === "" ? this.#unusedAnchor(name, value, schema) : undefined;
        if (anchor !== undefined) {
          this.#report(
            "warning",
            name,
            position,
            `unknown key, and nothing refers to its anchor &${anchor}`,
            {
              expected: `an alias *${anchor}, or no such key`,
            },
          );
          continue;
        }
        this.#unknownKey(name, value, keyPath, position, schema, path);
        if (otherReleaseKey(this.#kind, path, name) === undefined) mistyped.push([name, value]);
        continue;
      }
      const isSection = unwrap(known) instanceof z.ZodObject;
      const before = seen.get(name);
      if (before !== undefined) {
        this.#report("warning", keyPath, position, `the key stands here and in line ${before.line}`, {
          expected: isSection
            ? "one of them; the last value of each key in them counts"
            : "one of them; the last one counts",
        });
      }
      if (!merged) seen.set(name, position);
      else if (own.has(name) && !isSection) continue;
      const read = value === undefined ? undefined : this.#readValue(value, known, keyPath);
      if (!this.#positions.has(keyPath)) this.#positions.set(keyPath, position);
      if (read === undefined) {
        if (value !== undefined && this.#isEmpty(this.#resolve(value), known)) delete result[name];
      } else {
        // As release 0.8.0 does: a section that comes again adds to what it has.
        result[name] = isSection ? { ...(result[name] as object | undefined), ...(read as object) } : read;
      }
    }
    for (const [name, value] of mistyped) this.#readAsMeant(name, value, schema, path, result);
    return result;
  }

  /** Treats a mistyped key as the only plausible key, so that problems of its value are reported too. */
  #readAsMeant(
    name: string,
    value: Node | undefined,
    schema: z.ZodObject,
    path: string,
    result: Record<string, unknown>,
  ): void {
    const [meant, ...others] = suggest(name, Object.keys(schema.shape));
    if (meant === undefined || others.length > 0 || Object.hasOwn(result, meant) || value === undefined)
      return;
    const read = this.#readValue(
      value,
      schema.shape[meant] as z.ZodType,
      path === "" ? meant : `${path}.${meant}`,
    );
    if (read !== undefined) result[meant] = read;
  }

  /**
   * The keys of a map, those that win last: merged maps (`<<: *defaults`), of a list of them the first last, then its own.
   * Release 0.8.0 lets a merge that stands behind a key win over it; a warning names such keys.
   *
   * @param around the maps that this one is merged into
   * @see yaml.v2 decode.go merge
   */
  #entries(map: YAMLMap, around: readonly YAMLMap[]): readonly Entry[] {
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
    const source = this.#resolve(value);
    if (isSeq(source) && isAlias(value)) {
      this.#report("note", "<<", this.#at(value), "an alias of a list; release 0.8.0 does not merge it", {
        expected: "the list itself, as in <<: [*a, *b]",
      });
    }
    const maps = isSeq(source) ? source.items.map((item) => this.#resolve(item as Node)).reverse() : [source];
    return maps.flatMap((from) => {
      if (isMap(from) && !around.includes(from)) return this.#entries(from, around);
      // An alias without an anchor, or too many of them: reported already.
      if (from !== undefined) {
        const what = isMap(from) ? "a map that contains itself" : "nothing that can be merged";
        this.#report("error", "<<", this.#at(value ?? key), what, {
          expected: "an alias of keys and values, or a list of them",
        });
      }
      return [];
    });
  }

  #warnOfOverridden(own: readonly Entry[], merged: readonly Entry[]): void {
    for (const { key, value } of own) {
      const name = this.#nameOf(key);
      const other = merged.findLast((entry) => this.#nameOf(entry.key) === name);
      if (other?.value === undefined || value === undefined) continue;
      const [here, there] = [this.#show(value), this.#show(other.value)];
      if (here === there) continue;
      this.#report(
        "warning",
        name,
        this.#at(key),
        `${here} counts; release 0.8.0 takes ${there}, as << stands behind`,
        {
          expected: "<< before the keys that it does not give",
        },
      );
    }
  }

  /** The key as text. An alias can stand for it. */
  #nameOf(key: Node): string {
    const node = isAlias(key) ? (this.#targets.get(key) ?? key) : key;
    return isScalar(node) ? (node.source ?? "") : this.#show(key);
  }

  /** True for a key that is there for the anchors below it, as release 0.8.0 ignores keys that it does not know. */
  #holdsAnchor(name: string, value: Node | undefined, known: z.ZodType | undefined): boolean {
    if (value === undefined || isAlias(value)) return false;
    if (known !== undefined) {
      if (!LATER_KEYS.has(name) || isScalar(value) || unwrap(known) instanceof z.ZodObject) return false;
    }
    let found = false;
    visit(value, (_key, node) => {
      found ||= this.#anchored.has(node);
      return found ? visit.BREAK : undefined;
    });
    return found;
  }

  /** The anchor of a value that no alias refers to, where its key is like no other: it was there for the anchor. */
  #unusedAnchor(name: string, value: Node | undefined, schema: z.ZodObject): string | undefined {
    if (value === undefined || isAlias(value) || value.anchor === undefined) return undefined;
    const isOther = otherReleaseKey(this.#kind, "", name) !== undefined || this.#placeOf(name) !== undefined;
    return isOther || suggest(name, Object.keys(schema.shape)).length > 0 ? undefined : value.anchor;
  }

  #unknownKey(
    name: string,
    value: Node | undefined,
    keyPath: string,
    position: Position,
    schema: z.ZodObject,
    path: string,
  ): void {
    const other = otherReleaseKey(this.#kind, path, name);
    if (other !== undefined) {
      this.#report("error", keyPath, position, describeOtherReleaseKey(other));
      if (other.section !== undefined) this.#explainSection(value, keyPath, other.section, 0);
      return;
    }
    const place = this.#placeOf(name);
    if (place !== undefined) {
      this.#report("error", keyPath, position, `the key does not belong here but ${place}`);
      return;
    }
    const keys = Object.keys(schema.shape);
    const suggestions = suggest(name, keys);
    for (const key of suggestions) this.#meant.add(path === "" ? key : `${path}.${key}`);
    this.#report("error", keyPath, position, "unknown key", {
      suggestions,
      expected: suggestions.length === 0 ? `one of ${keys.join(", ")}` : undefined,
    });
  }

  /** The places of the keys with this name. */
  #placeOf(name: string): string | undefined {
    if (Object.hasOwn(this.#root.shape, name)) return "to the top level";
    for (const [section, value] of Object.entries(this.#root.shape)) {
      const inner = unwrap(value as z.ZodType);
      const below = inner instanceof z.ZodArray ? unwrap(inner.element as z.ZodType) : inner;
      if (below instanceof z.ZodObject && Object.hasOwn(below.shape, name)) {
        return inner === below ? `to ${section}` : `to a section of ${section}`;
      }
    }
    return undefined;
  }

  /** Reports each key of other releases below one that has been reported. */
  #explainSection(value: Node | undefined, path: string, section: string, depth: number): void {
    const node = this.#resolve(value);
    if (depth > DEEPEST_SECTION) return;
    if (isSeq(node)) {
      node.items.forEach((item, index) => {
        this.#explainSection(item as Node, `${path}[${index}]`, section, depth + 1);
      });
    } else if (isMap(node)) {
      for (const { key, value: below } of node.items) {
        const name = this.#nameOf(key as Node);
        const other = otherReleaseKey(this.#kind, section, name);
        if (other === undefined) continue;
        this.#report("error", `${path}.${name}`, this.#at(key as Node), describeOtherReleaseKey(other));
        if (other.section !== undefined) {
          this.#explainSection(below as Node, `${path}.${name}`, other.section, depth + 1);
        }
      }
    }
  }

  #wrongKind(node: Node, at: Node, schema: z.ZodType, path: string): undefined {
    this.#report("error", path, this.#at(at), `${this.#show(node)} is ${kindOf(node)}`, {
      expected: describeAllowed(schema),
    });
    return undefined;
  }

  /** True for `null`, and for empty text where text is wanted: release 0.8.0 writes it for what is not set. */
  #isEmpty(node: Node | undefined, schema: z.ZodType): boolean {
    if (this.#isNull(node)) return true;
    const inner = unwrap(schema);
    return (
      isScalar(node) && node.source === "" && (inner instanceof z.ZodString || inner instanceof z.ZodEnum)
    );
  }

  #isNull(node: Node | undefined): boolean {
    return isScalar(node) && resolveNode(node).kind === "null";
  }

  /** The source text of a node, on one line and shortened. */
  #show(node: Node): string {
    if (isScalar(node) && node.source === "" && node.type === "PLAIN") return "nothing";
    const [start, end] = node.range ?? [0, 0];
    const text =
      isScalar(node) && resolveNode(node).kind === "text"
        ? JSON.stringify(node.value)
        : this.#composed.source.slice(start, end).replace(/\s+/g, " ").trim();
    return text.length > 60 ? `${text.slice(0, 57)}...` : text;
  }

  #resolve(node: Node | null | undefined): Node | undefined {
    if (node === null || node === undefined) return undefined;
    if (!isAlias(node)) return node;
    this.#aliases += 1;
    if (this.#aliases === MAX_ALIASES) this.#reportTooMany(node, `more than ${MAX_ALIASES} aliases`);
    return this.#aliases < MAX_ALIASES ? this.#targets.get(node) : undefined;
  }

  /** False when the limit of nodes is reached. */
  #isWithinBounds(at: Node): boolean {
    this.#nodes += 1;
    if (this.#nodes === MAX_NODES) this.#reportTooMany(at, `more than ${MAX_NODES} keys and values`);
    return this.#nodes < MAX_NODES;
  }

  #reportTooMany(at: Node, what: string): void {
    this.#report("error", "", this.#at(at), `the file stands for ${what}`, { expected: "fewer" });
  }

  #at(node: Node): Position {
    return this.#lineAt(node.range?.[0] ?? 0);
  }

  #lineAt(offset: number): Position {
    return this.#composed.positionAt(offset);
  }

  #report(
    severity: Problem["severity"],
    key: string,
    position: Position,
    message: string,
    more: Pick<Problem, "expected" | "suggestions"> = {},
  ): void {
    this.#problems.push({ severity, file: this.#file, ...position, key, message, ...more });
  }
}

function isMergeKey(key: Node): boolean {
  return (
    isScalar(key) && key.source === "<<" && (key.type === "PLAIN" || key.tag === "tag:yaml.org,2002:merge")
  );
}

function resolveNode(node: Scalar): Yaml11Value {
  return resolveYaml11({ text: node.source ?? "", plain: node.type === "PLAIN", tag: node.tag });
}

function kindOf(node: Node): string {
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
