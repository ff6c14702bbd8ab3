/** The kinds of principals, in the order of a list. */
const KINDS = ["owner", "user", "owner-group", "group", "everyone"] as const;

type PrincipalKind = (typeof KINDS)[number];

interface Principal {
  readonly kind: PrincipalKind;
  /** The name of a user or group (`alice@`), or a special name (`OWNER@`). */
  readonly name: string;
}

/** One entry, `ACCESS:FLAGS:PRINCIPAL:PERMISSIONS`. */
interface Ace extends Principal {
  /** The entry in the data plane's order and spelling. */
  readonly text: string;
}

const SPECIAL: ReadonlyMap<string, PrincipalKind> = new Map([
  ["OWNER@", "owner"],
  ["GROUP@", "owner-group"],
  ["EVERYONE@", "everyone"],
]);

const MAX_PRINCIPAL = 255;
const MAX_ENTRY = MAX_PRINCIPAL + 64;

/** The list of a pool that is created without one: owner and group read and write. */
export const DEFAULT_ACL: readonly string[] = ["A::OWNER@:rw", "A:G:GROUP@:rw"];

/**
 * An access control list in the order of the data plane; undefined when it is empty or has an invalid entry. Like in the real
 * engine of 0.8.0, two entries may have the same principal.
 *
 * @see DAOS 0.8.0 src/common/acl_util.c, acl_api.c daos_acl_validate
 */
export function normalizeAcl(entries: readonly string[]): readonly string[] | undefined {
  const aces = parseAcl(entries);
  return aces?.map((ace) => ace.text);
}

/** Adds entries to a list. An entry replaces the former entry of its principal. Undefined as for {@link normalizeAcl}. */
export function updateAcl(acl: readonly string[], entries: readonly string[]): readonly string[] | undefined {
  const changes = parseAcl(entries);
  if (changes === undefined) return undefined;
  const merged = new Map((parseAcl(acl) ?? []).map((ace) => [keyOf(ace), ace]));
  for (const ace of changes) merged.set(keyOf(ace), ace);
  return inOrder([...merged.values()]).map((ace) => ace.text);
}

/** The list without the entry of a principal such as `u:alice@`, `g:users@` or `OWNER@`. */
export function deleteFromAcl(
  acl: readonly string[],
  principal: string,
): { readonly kind: "deleted"; readonly acl: readonly string[] } | { readonly kind: "invalid" | "missing" } {
  const wanted = parsePrincipal(principal);
  if (wanted === undefined) return { kind: "invalid" };
  const aces = parseAcl(acl) ?? [];
  const rest = aces.filter((ace) => keyOf(ace) !== keyOf(wanted));
  return rest.length === aces.length
    ? { kind: "missing" }
    : { kind: "deleted", acl: rest.map((ace) => ace.text) };
}

function parsePrincipal(text: string): Principal | undefined {
  const special = SPECIAL.get(text);
  if (special !== undefined) return { kind: special, name: text };
  const name = text.slice(2);
  if (!isName(name)) return undefined;
  if (text.startsWith("u:")) return { kind: "user", name };
  return text.startsWith("g:") ? { kind: "group", name } : undefined;
}

function parseAcl(entries: readonly string[]): readonly Ace[] | undefined {
  const aces: Ace[] = [];
  for (const entry of entries) {
    const ace = parseAce(entry);
    if (ace === undefined) return undefined;
    aces.push(ace);
  }
  return aces.length > 0 ? inOrder(aces) : undefined;
}

function parseAce(text: string): Ace | undefined {
  const [access, flags, name, permissions, ...more] = text.split(":");
  if (access === undefined || flags === undefined || name === undefined || permissions === undefined)
    return undefined;
  if (more.length > 0 || text.length > MAX_ENTRY || !isName(name)) return undefined;
  // The real engine accepts an entry without a type.
  if (!/^[AUL]*$/.test(access) || !/^[GSFP]*$/.test(flags) || !/^[rw]*$/.test(permissions)) return undefined;
  const kind = SPECIAL.get(name) ?? (flags.includes("G") ? "group" : "user");
  const isGroup = kind === "group" || kind === "owner-group";
  if (isGroup !== flags.includes("G")) return undefined;
  // Audit and alarm require an outcome. Other types must not have one.
  if (/[UL]/.test(access) !== /[SF]/.test(flags)) return undefined;
  const canonical = [pick("AUL", access), pick("GSFP", flags), name, pick("rw", permissions)].join(":");
  return { kind, name, text: canonical };
}

/** Whether the text is a name, one `@` and possibly a domain. */
function isName(text: string): boolean {
  return text.length <= MAX_PRINCIPAL && /^[^@:]+@[^@:]*$/.test(text);
}

/** The letters of `order` that occur in `letters`, each once. */
function pick(order: string, letters: string): string {
  return [...order].filter((letter) => letters.includes(letter)).join("");
}

function keyOf({ kind, name }: Principal): string {
  return `${kind} ${name}`;
}

/** Sorts by kind. Entries of one kind keep their order. */
function inOrder(aces: readonly Ace[]): readonly Ace[] {
  return [...aces].sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
}
