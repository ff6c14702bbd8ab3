import { suggest } from "@daos/suggest";
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from "yaml";
import * as z from "zod";
import { describeAllowed, unwrap } from "./describe-schema.ts";
import type { FileKind } from "./file-kind.ts";
import { describeOtherReleaseKey, otherReleaseKey } from "./other-releases.ts";
import type { Problem } from "./problem.ts";

/** A place in a file, from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

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
const DEEPEST_MERGE = 8;
/**
 * Keys that only a server's file has, here and in DAOS 2.x. When one is found in a client's file, the other keys are not
 * reported one by one.
 */
const SERVER_ONLY = new Set<unknown>(["servers", "engines"]);
/** Above the needs of any configuration. A few lines of aliases could expand to millions of nodes. */
const MAX_NODES = 50_000;
const MAX_ALIASES = 1_000;

/**
 * Reads YAML with a schema of objects, lists and scalars. Accepts what release 0.8.0's YAML library accepts: a repeated key
 * (the last one counts, with a warning), YAML 1.1 booleans (`yes`, `off`), octal numbers, numbers where text is wanted,
 * `null` as absent, merge keys; and words of a fixed set in any letter case.
 *
 * @param file the name for the problems
 */
export function readYaml(text: string, file: string, schema: z.ZodObject, kind: FileKind): YamlReading {
  return new YamlReader(file, kind, schema).read(text);
}

class YamlReader {
  readonly #file: string;
  #text = "";
  readonly #kind: FileKind;
  readonly #root: z.ZodObject;
  readonly #problems: Problem[] = [];
  readonly #positions = new Map<string, Position>();
  readonly #lines = new LineCounter();
  #document: Document.Parsed | undefined;
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
    this.#text = text;
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
    const document = parseDocument(text, {
      uniqueKeys: false,
      lineCounter: this.#lines,
      prettyErrors: false,
      logLevel: "silent",
    });
    this.#document = document;
    for (const { message, pos } of [...document.errors, ...document.warnings]) {
      this.#report("error", "", this.#lineAt(pos[0]), `not YAML: ${message}`);
    }
    const root = this.#resolve(document.contents);
    if (document.errors.length > 0) return undefined;
    if (root === undefined || isNull(root)) return {};
    if (!isMap(root)) {
      this.#report("error", "", this.#at(root), `${this.#show(root)} is not a configuration`, {
        expected: "keys and values, as in name: daos_server",
      });
      return undefined;
    }
    const engines = root.items.find(({ key }) => isScalar(key) && SERVER_ONLY.has(key.value));
    if (this.#kind === "client" && engines !== undefined) {
      this.#report("error", "", this.#at(engines.key as Node), "this is a server's configuration", {
        expected: "a client's, as dmg has in daos.yml",
      });
      return undefined;
    }
    return this.#readMap(root, schema, "");
  }

  #readValue(value: Node, schema: z.ZodType, path: string): unknown {
    if (!this.#isWithinBounds(value)) return undefined;
    const node = this.#resolve(value);
    this.#positions.set(path, this.#at(value));
    if (node === undefined || isNull(node)) return undefined;
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
        if (isNull(this.#resolve(item as Node))) {
          if (unwrap(element) instanceof z.ZodObject) return {};
          this.#report("error", itemPath, this.#at(item as Node), "the entry is empty", {
            expected: describeAllowed(element),
          });
        }
        return undefined;
      });
    }
    const scalar = isScalar(node) ? readScalar(node, inner) : undefined;
    return scalar === undefined ? this.#wrongKind(node, value, inner, path) : scalar;
  }

  #readMap(map: YAMLMap, schema: z.ZodObject, path: string): Record<string, unknown> {
    if (!this.#positions.has(path)) this.#positions.set(path, this.#at(map));
    const result: Record<string, unknown> = {};
    const seen = new Map<string, Position>();
    const mistyped: [name: string, value: Node | undefined][] = [];
    for (const [keyNode, value, merged] of this.#entries(map, 0)) {
      if (!this.#isWithinBounds(keyNode)) break;
      const name = isScalar(keyNode) ? (keyNode.source ?? String(keyNode.value)) : this.#show(keyNode);
      const keyPath = path === "" ? name : `${path}.${name}`;
      const position = this.#at(keyNode);
      const known = Object.hasOwn(schema.shape, name) ? (schema.shape[name] as z.ZodType) : undefined;
      if (known === undefined) {
        if (name.startsWith("x-")) continue;
        this.#unknownKey(name, value, keyPath, position, schema, path);
        if (otherReleaseKey(this.#kind, path, name) === undefined) mistyped.push([name, value]);
        continue;
      }
      const before = seen.get(name);
      if (before !== undefined && !merged) {
        this.#report("warning", keyPath, position, `the key stands here and in line ${before.line}`, {
          expected: "one of them; the last one counts",
        });
      }
      if (!merged) seen.set(name, position);
      else if (seen.has(name)) continue;
      const read = value === undefined ? undefined : this.#readValue(value, known, keyPath);
      if (!this.#positions.has(keyPath)) this.#positions.set(keyPath, position);
      if (read !== undefined) result[name] = read;
      else if (value !== undefined && isNull(this.#resolve(value))) delete result[name];
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

  /** Own entries first, then those of merged maps (`<<: *defaults`), marked. */
  *#entries(map: YAMLMap, depth: number): Generator<readonly [Node, Node | undefined, boolean]> {
    const merges: Node[] = [];
    for (const { key, value } of map.items) {
      const keyNode = key as Node;
      if (isScalar(keyNode) && keyNode.value === "<<" && keyNode.type === "PLAIN") {
        if (value !== null) merges.push(value as Node);
      } else {
        yield [keyNode, (value as Node | null) ?? undefined, depth > 0];
      }
    }
    for (const merge of merges) {
      const source = this.#resolve(merge);
      const maps = isSeq(source) ? source.items.map((item) => this.#resolve(item as Node)) : [source];
      for (const from of maps) {
        if (!isMap(from) || depth >= DEEPEST_MERGE) {
          this.#report("error", "<<", this.#at(merge), "nothing that can be merged", {
            expected: "an alias of keys and values, at most eight deep",
          });
        } else {
          yield* this.#entries(from, depth + 1);
        }
      }
    }
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
    if (depth > DEEPEST_MERGE) return;
    if (isSeq(node)) {
      node.items.forEach((item, index) => {
        this.#explainSection(item as Node, `${path}[${index}]`, section, depth + 1);
      });
    } else if (isMap(node)) {
      for (const { key, value: below } of node.items) {
        const name = isScalar(key) ? String(key.value) : "";
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

  /** The source text of a node, on one line and shortened. */
  #show(node: Node): string {
    const [start, end] = node.range ?? [0, 0];
    const text =
      isScalar(node) && typeof node.value === "string"
        ? JSON.stringify(node.value)
        : this.#text.slice(start, end).replace(/\s+/g, " ").trim();
    return text.length > 60 ? `${text.slice(0, 57)}...` : text;
  }

  #resolve(node: Node | null | undefined): Node | undefined {
    if (node === null || node === undefined) return undefined;
    if (!isAlias(node) || this.#document === undefined) return node;
    this.#aliases += 1;
    if (this.#aliases === MAX_ALIASES) this.#reportTooMany(node, `more than ${MAX_ALIASES} aliases`);
    return this.#aliases < MAX_ALIASES ? (node.resolve(this.#document) ?? undefined) : undefined;
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
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
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

function isNull(node: Node | undefined): boolean {
  return isScalar(node) && node.value === null;
}

function readScalar(node: Scalar, schema: z.ZodType): unknown {
  const { value } = node;
  const plain = node.type === "PLAIN";
  if (schema instanceof z.ZodBoolean) {
    if (typeof value === "boolean") return value;
    return plain && typeof value === "string" ? YAML11_BOOLEANS.get(value) : undefined;
  }
  if (schema instanceof z.ZodNumber) {
    if (plain && /^[-+]?0[0-7]+$/.test(node.source ?? "")) return Number.parseInt(node.source ?? "", 8);
    if (typeof value === "number") return value;
    if (plain && typeof value === "string" && /^[-+]?\d[\d_]*$/.test(value)) {
      return Number(value.replaceAll("_", ""));
    }
    return undefined;
  }
  if (typeof value === "string") {
    if (!(schema instanceof z.ZodEnum)) return value;
    return schema.options.find((option) => String(option).toLowerCase() === value.toLowerCase()) ?? value;
  }
  return plain ? node.source : undefined;
}

const YAML11_BOOLEANS: ReadonlyMap<string, boolean> = new Map(
  (
    [
      [["yes", "Yes", "YES", "on", "On", "ON"], true],
      [["no", "No", "NO", "off", "Off", "OFF"], false],
    ] as const
  ).flatMap(([words, value]) => words.map((word) => [word, value] as const)),
);

function kindOf(node: Node): string {
  if (isMap(node)) return "a map";
  if (isSeq(node)) return "a list";
  if (!isScalar(node)) return "of an unknown kind";
  return node.value === null ? "nothing" : `a ${typeof node.value}`;
}
