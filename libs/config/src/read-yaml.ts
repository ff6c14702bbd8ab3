import { suggest } from "@daos/suggest";
import { isMap, isScalar, isSeq, type Node, type Scalar, type YAMLMap } from "yaml";
import * as z from "zod";
import type { Position } from "./compose-yaml.ts";
import { describeAllowed, unwrap } from "./describe-schema.ts";
import type { FileKind } from "./file-kind.ts";
import type { Problem } from "./problem.ts";
import { UnknownKeys } from "./unknown-keys.ts";
import { kindOf, type ReportProblem, resolveNode, YamlTree } from "./yaml-tree.ts";

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
/**
 * Keys that only a server's file has, here and in DAOS 2.x. When one is found in a client's file, the other keys are not
 * reported one by one.
 */
const SERVER_ONLY: ReadonlySet<string> = new Set(["servers", "engines"]);
/** Keys whose words release 0.8.0 reads in lower case only. */
const LOWER_CASE_KEYS: ReadonlySet<string> = new Set(["scm_class", "bdev_class"]);
/**
 * Reads YAML with a schema of objects, lists and scalars. Accepts what release 0.8.0's YAML library accepts: a repeated key
 * (the last one counts, with a warning), the scalars of YAML 1.1, numbers where text is wanted, `null` and empty text as
 * absent, merge keys; and words of a fixed set in any letter case. Only the first document counts.
 *
 * @param file the name for the problems
 */
export function readYaml(text: string, file: string, schema: z.ZodObject, kind: FileKind): YamlReading {
  const problems: Problem[] = [];
  const report: ReportProblem = (severity, key, position, message, more = {}) => {
    problems.push({ severity, file, ...position, key, message, ...more });
  };
  const none = { data: {}, problems, meant: new Set<string>(), ...placesIn(new Map()) };
  if (text.length > MAX_FILE_BYTES) {
    report("error", "", { line: 1, column: 1 }, "the file is too long", {
      expected: `at most ${MAX_FILE_BYTES} characters`,
    });
    return { ...none, readable: false };
  }
  const tree = new YamlTree(text, report);
  const { root } = tree;
  if (!tree.isYaml) return { ...none, readable: false };
  if (root === undefined || tree.isNull(root)) return { ...none, readable: true };
  if (!isConfiguration(root, kind, { tree, report })) return { ...none, readable: false };
  const unknown = new UnknownKeys({ kind, root: schema, tree, report });
  const reader = new SchemaReader({ tree, unknown, report });
  const data = reader.readMap(root, schema, "");
  return { data, readable: true, problems, meant: unknown.meant, ...placesIn(reader.positions) };
}

/** True for a map that is not a server's configuration where a client's is expected. */
function isConfiguration(
  root: Node,
  kind: FileKind,
  { tree, report }: { readonly tree: YamlTree; readonly report: ReportProblem },
): root is YAMLMap {
  if (!isMap(root)) {
    report("error", "", tree.at(root), `${tree.show(root)} is not a configuration`, {
      expected: "keys and values, as in name: daos_server",
    });
    return false;
  }
  const engines = root.items.find(({ key }) => isScalar(key) && SERVER_ONLY.has(key.source ?? ""));
  if (kind !== "client" || engines === undefined) return true;
  report("error", "", tree.at(engines.key as Node), "this is a server's configuration", {
    expected: "a client's, as dmg has in daos.yml",
  });
  return false;
}

function placesIn(
  positions: ReadonlyMap<string, Position>,
): Pick<YamlReading, "exactPositionOf" | "positionOf"> {
  return {
    exactPositionOf: (path) => positions.get(path),
    positionOf: (path) => {
      let current = path;
      for (;;) {
        const position = positions.get(current);
        if (position !== undefined || current === "") return position;
        current = current.replace(/(^|\.)[^.[]*$|\[\d+\]$/, "");
      }
    },
  };
}

/** Reads nodes by a schema. */
class SchemaReader {
  /** Where the value at each path stands. */
  readonly positions = new Map<string, Position>();
  readonly #tree: YamlTree;
  readonly #unknown: UnknownKeys;
  readonly #report: ReportProblem;

  constructor(options: {
    readonly tree: YamlTree;
    readonly unknown: UnknownKeys;
    readonly report: ReportProblem;
  }) {
    this.#tree = options.tree;
    this.#unknown = options.unknown;
    this.#report = options.report;
  }

  #readValue(value: Node, schema: z.ZodType, path: string): unknown {
    if (!this.#tree.isWithinBounds(value)) return undefined;
    const node = this.#tree.resolve(value);
    this.positions.set(path, this.#tree.at(value));
    if (node === undefined || this.#tree.isNull(node)) return undefined;
    const inner = unwrap(schema);
    if (inner instanceof z.ZodObject) {
      return isMap(node) ? this.readMap(node, inner, path) : this.#wrongKind(node, value, inner, path);
    }
    if (inner instanceof z.ZodArray) {
      if (!isSeq(node)) return this.#wrongKind(node, value, inner, path);
      const element = inner.element as z.ZodType;
      return node.items.map((item, index) => {
        const itemPath = `${path}[${index}]`;
        const read = this.#readValue(item as Node, element, itemPath);
        if (read !== undefined) return read;
        if (this.#isEmpty(this.#tree.resolve(item as Node), element)) {
          if (unwrap(element) instanceof z.ZodObject) return {};
          this.#report("error", itemPath, this.#tree.at(item as Node), "the entry is empty", {
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
      this.#report("note", path, this.#tree.at(at), message, { expected });
    switch (value.kind) {
      case "invalid":
        this.#report("error", path, this.#tree.at(at), value.reason, { expected: describeAllowed(schema) });
        return undefined;
      case "boolean":
        if (schema instanceof z.ZodBoolean) return value.value;
        break;
      case "number":
        if (schema instanceof z.ZodNumber) {
          if (!Number.isFinite(value.value)) {
            this.#report("error", path, this.#tree.at(at), `${this.#tree.show(node)} is too large`, {
              expected: describeAllowed(schema),
            });
            return undefined;
          }
          if (value.onlyHere) {
            note(
              `${this.#tree.show(node)} is read as ${value.value}; release 0.8.0 does not read it`,
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

  readMap(map: YAMLMap, schema: z.ZodObject, path: string): Record<string, unknown> {
    if (!this.positions.has(path)) this.positions.set(path, this.#tree.at(map));
    const result: Record<string, unknown> = {};
    const seen = new Map<string, Position>();
    const mistyped: [name: string, value: Node | undefined][] = [];
    const entries = this.#tree.entries(map);
    const own = new Set(entries.filter(({ merged }) => !merged).map(({ key }) => this.#tree.nameOf(key)));
    for (const { key, value, merged } of entries) {
      if (!this.#tree.isWithinBounds(key)) break;
      const name = this.#tree.nameOf(key);
      const keyPath = path === "" ? name : `${path}.${name}`;
      const position = this.#tree.at(key);
      const known = Object.hasOwn(schema.shape, name) ? (schema.shape[name] as z.ZodType) : undefined;
      if (path === "" && this.#unknown.holdsAnchor({ name, value, position, schema })) continue;
      if (known === undefined) {
        const what = this.#unknown.explain({ name, value, position, schema, path });
        if (what === "mistyped") mistyped.push([name, value]);
        continue;
      }
      const isSection = unwrap(known) instanceof z.ZodObject;
      const before = seen.get(name);
      if (before !== undefined) {
        this.#report("warning", keyPath, position, `the key is set here and in line ${before.line}`, {
          expected: isSection
            ? "one of them; the last value of each key in them counts"
            : "one of them; the last one counts",
        });
      }
      if (!merged) seen.set(name, position);
      else if (own.has(name) && !isSection) continue;
      const read = value === undefined ? undefined : this.#readValue(value, known, keyPath);
      if (!this.positions.has(keyPath)) this.positions.set(keyPath, position);
      if (read === undefined) {
        if (value !== undefined && this.#isEmpty(this.#tree.resolve(value), known)) delete result[name];
      } else {
        // As in release 0.8.0, a repeated section adds to the earlier one.
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

  #wrongKind(node: Node, at: Node, schema: z.ZodType, path: string): undefined {
    this.#report("error", path, this.#tree.at(at), `${this.#tree.show(node)} is ${kindOf(node)}`, {
      expected: describeAllowed(schema),
    });
    return undefined;
  }

  /** True for `null`, and for empty text where text is wanted: release 0.8.0 writes it for unset keys. */
  #isEmpty(node: Node | undefined, schema: z.ZodType): boolean {
    if (this.#tree.isNull(node)) return true;
    const inner = unwrap(schema);
    return (
      isScalar(node) && node.source === "" && (inner instanceof z.ZodString || inner instanceof z.ZodEnum)
    );
  }
}
