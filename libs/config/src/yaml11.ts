/** A scalar as YAML 1.1 resolves it. */
export type Yaml11Value =
  | { readonly kind: "null" }
  | { readonly kind: "boolean"; readonly value: boolean }
  | {
      readonly kind: "number";
      readonly value: number;
      /** Release 0.8.0 takes this form for text, as in `1e1`. */
      readonly onlyHere: boolean;
    }
  | { readonly kind: "text"; readonly text: string }
  /** The tag does not fit, as in `!!bool maybe`. */
  | { readonly kind: "invalid"; readonly reason: string };

export interface Yaml11Scalar {
  readonly text: string;
  /** Written without quotes and not as a block. */
  readonly plain: boolean;
  /** In its long form, `tag:yaml.org,2002:int`; `undefined` without a tag. */
  readonly tag?: string | undefined;
}

const STANDARD = "tag:yaml.org,2002:";
const NULLS: ReadonlySet<string> = new Set(["", "~", "null", "Null", "NULL"]);
const WORDS: ReadonlyMap<string, boolean> = new Map(
  (
    [
      ["y yes true on", true],
      ["n no false off", false],
    ] as const
  ).flatMap(([words, value]) =>
    words
      .split(" ")
      .flatMap((word) => [word, `${word[0]?.toUpperCase()}${word.slice(1)}`, word.toUpperCase()])
      .map((word) => [word, value] as const),
  ),
);
const INTEGER = /^([-+]?)(?:0[xX]([\da-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(\d+))$/;
/** `1.`, and an exponent without a sign, came later. */
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const TIMESTAMP =
  /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]|\s+)\d{1,2}:\d{2}:\d{2}(?:\.\d+)?(?:\s*(?:Z|[-+]\d{1,2}(?::\d{2})?))?)?$/;
const FLOAT_BEFORE = /^[-+]?\d*\.?\d+(?:[eE][-+]\d+)?$/;

/**
 * Resolves a scalar as release 0.8.0 does: `y` and `off` are booleans, `017` is 15, `0b11` is 3, `1_000` is 1000. A quoted
 * scalar without a tag is text.
 *
 * @see yaml.v2 resolve.go, decode.go scalar
 */
export function resolveYaml11(scalar: Yaml11Scalar): Yaml11Value {
  const { text, plain, tag } = scalar;
  if (tag === undefined) return plain ? resolvePlain(text) : { kind: "text", text };
  const name = tag.startsWith(STANDARD) ? tag.slice(STANDARD.length) : "";
  switch (name) {
    case "binary":
      return decodeBinary(text);
    case "bool":
      return expectKind("boolean", resolvePlain(text), scalar);
    case "int":
      return expectKind(
        "number",
        resolvePlain(text),
        scalar,
        (value) => !text.includes(".") && Number.isInteger(value),
      );
    case "float":
      return expectKind("number", resolvePlain(text), scalar);
    case "null":
      return expectKind("null", resolvePlain(text), scalar);
    case "timestamp":
      return TIMESTAMP.test(text)
        ? { kind: "text", text }
        : expectKind("null", { kind: "text", text }, scalar);
    default:
      return { kind: "text", text };
  }
}

function resolvePlain(text: string): Yaml11Value {
  if (NULLS.has(text)) return { kind: "null" };
  const word = WORDS.get(text);
  if (word !== undefined) return { kind: "boolean", value: word };
  if (!/^[-+.\d]/.test(text)) return { kind: "text", text };
  const digits = text.replaceAll("_", "");
  const integer = INTEGER.exec(digits);
  if (integer !== null) {
    const [, sign, hex, binary, octal, decimal] = integer;
    const radix = hex !== undefined ? 16 : binary !== undefined ? 2 : octal !== undefined ? 8 : 10;
    const magnitude = Number.parseInt(hex ?? binary ?? octal ?? decimal ?? "", radix);
    return { kind: "number", value: sign === "-" ? -magnitude : magnitude, onlyHere: false };
  }
  if (!FLOAT.test(digits)) return { kind: "text", text };
  return {
    kind: "number",
    value: Number(digits),
    onlyHere: !text.startsWith(".") && !FLOAT_BEFORE.test(digits),
  };
}

function expectKind(
  kind: Yaml11Value["kind"],
  value: Yaml11Value,
  { text, tag = "" }: Yaml11Scalar,
  fits: (value: number) => boolean = () => true,
): Yaml11Value {
  if (value.kind === kind && (value.kind !== "number" || fits(value.value))) return value;
  return { kind: "invalid", reason: `${JSON.stringify(text)} is no !!${tag.slice(STANDARD.length)}` };
}

function decodeBinary(text: string): Yaml11Value {
  const base64 = text.replace(/\s/g, "");
  const bytes = Buffer.from(base64, "base64");
  if (bytes.toString("base64") !== base64) {
    return { kind: "invalid", reason: `${JSON.stringify(text)} is no !!binary: it is not base64` };
  }
  return { kind: "text", text: bytes.toString("utf8") };
}
