import { suggest } from "@daos/suggest";
import { isAlias, isMap, isScalar, isSeq, type Node } from "yaml";
import * as z from "zod";
import type { Position } from "./compose-yaml.ts";
import { unwrap } from "./describe-schema.ts";
import type { FileKind } from "./file-kind.ts";
import { describeOtherReleaseKey, otherReleaseKey } from "./other-releases.ts";
import type { ReportProblem, YamlTree } from "./yaml-tree.ts";

const DEEPEST_SECTION = 8;
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

export interface UnknownKeysOptions {
  readonly kind: FileKind;
  readonly root: z.ZodObject;
  readonly tree: YamlTree;
  readonly report: ReportProblem;
}

/** A key of a map that is read with a schema. */
interface MapKey {
  readonly name: string;
  readonly value: Node | undefined;
  readonly position: Position;
  /** Of the map. */
  readonly schema: z.ZodObject;
}

/** Explains unknown keys: a key of another release, of another section, or a mistyped one. */
export class UnknownKeys {
  readonly #kind: FileKind;
  readonly #root: z.ZodObject;
  readonly #tree: YamlTree;
  readonly #report: ReportProblem;
  /** Keys that mistyped ones were probably meant to be. */
  readonly meant = new Set<string>();

  constructor({ kind, root, tree, report }: UnknownKeysOptions) {
    this.#kind = kind;
    this.#root = root;
    this.#tree = tree;
    this.#report = report;
  }

  /**
   * True for a top-level key that only holds anchors: release 0.8.0 ignores keys that it does not know. One that looks
   * mistyped is reported.
   */
  holdsAnchor({ name, value, position, schema }: MapKey): boolean {
    if (value === undefined || isAlias(value)) return false;
    const known = Object.hasOwn(schema.shape, name) ? (schema.shape[name] as z.ZodType) : undefined;
    if (known !== undefined) {
      if (!LATER_KEYS.has(name) || isScalar(value) || unwrap(known) instanceof z.ZodObject) return false;
    }
    if (!this.#tree.isAnchored(value)) return false;
    const suggestions =
      known === undefined && !name.startsWith("x-") ? suggest(name, Object.keys(schema.shape)) : [];
    if (suggestions.length > 0) {
      this.#report("warning", name, position, "unknown key, of which only the anchor is used", {
        suggestions,
      });
    }
    return true;
  }

  /** Reports a key that `schema` does not have, unless its name says that readers ignore it (`x-`). */
  explain(key: MapKey & { readonly path: string }): "mistyped" | "explained" {
    const { name, value, position, schema, path } = key;
    if (name.startsWith("x-")) return "explained";
    const anchor = path === "" ? this.#unusedAnchor(name, value, schema) : undefined;
    if (anchor !== undefined) {
      this.#report("warning", name, position, `unknown key, and nothing refers to its anchor &${anchor}`, {
        expected: `an alias *${anchor}, or no such key`,
      });
      return "explained";
    }
    const keyPath = path === "" ? name : `${path}.${name}`;
    const other = otherReleaseKey(this.#kind, path, name);
    if (other !== undefined) {
      this.#report("error", keyPath, position, describeOtherReleaseKey(other));
      if (other.section !== undefined) this.#explainSection(value, keyPath, other.section, 0);
      return "explained";
    }
    const place = this.#placeOf(name);
    if (place !== undefined) {
      this.#report("error", keyPath, position, `the key does not belong here but ${place}`);
      return "mistyped";
    }
    const keys = Object.keys(schema.shape);
    const suggestions = suggest(name, keys);
    for (const meant of suggestions) this.meant.add(path === "" ? meant : `${path}.${meant}`);
    this.#report("error", keyPath, position, "unknown key", {
      suggestions,
      expected: suggestions.length === 0 ? `one of ${keys.join(", ")}` : undefined,
    });
    return "mistyped";
  }

  /**
   * The unused anchor of a value whose key resembles no known key, so that the key was probably only meant to hold it.
   */
  #unusedAnchor(name: string, value: Node | undefined, schema: z.ZodObject): string | undefined {
    if (value === undefined || isAlias(value) || value.anchor === undefined) return undefined;
    const isOther = otherReleaseKey(this.#kind, "", name) !== undefined || this.#placeOf(name) !== undefined;
    return isOther || suggest(name, Object.keys(schema.shape)).length > 0 ? undefined : value.anchor;
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
    const node = this.#tree.resolve(value);
    if (depth > DEEPEST_SECTION) return;
    if (isSeq(node)) {
      node.items.forEach((item, index) => {
        this.#explainSection(item as Node, `${path}[${index}]`, section, depth + 1);
      });
    } else if (isMap(node)) {
      for (const { key, value: below } of node.items) {
        const name = this.#tree.nameOf(key as Node);
        const other = otherReleaseKey(this.#kind, section, name);
        if (other === undefined) continue;
        this.#report("error", `${path}.${name}`, this.#tree.at(key as Node), describeOtherReleaseKey(other));
        if (other.section !== undefined) {
          this.#explainSection(below as Node, `${path}.${name}`, other.section, depth + 1);
        }
      }
    }
  }
}
