import type { NvmeHealth } from "./bdev-types.ts";

/** The bits of `critical_warning`. @see NVM Express Base Specification, SMART / Health Information log page */
const WARNING = { spare: 1, temperature: 2, reliability: 4, readOnly: 8, volatile: 16 } as const;

/** Below this, a temperature in kelvin would be colder than any device: it is in degrees Celsius. */
const COLDEST_KELVIN = 150;
const KELVIN_AT_0_CELSIUS = 273;

/** The properties of a controller that a format needs. */
export interface FormatSupport {
  /** The controller supports Format NVM. */
  readonly canFormat: boolean;
  /** A format of one namespace formats all namespaces of the subsystem, with the same settings. */
  readonly formatsAll: boolean;
  /** Namespaces can be created and detached, so there may be some that this controller does not show. */
  readonly managesNamespaces: boolean;
}

/** The settings of a namespace that a format must keep. */
export interface NamespaceFormat {
  /** The number of the block format, 0 to 63. */
  readonly lbaFormat: number;
  /** Metadata is transferred at the end of each block (extended blocks). */
  readonly extended: boolean;
  /** Type of protection information, 0 for none. */
  readonly protection: number;
  /** Protection information is in the first bytes of the metadata. */
  readonly protectionFirst: boolean;
}

/**
 * Reads the answer of `nvme id-ctrl -o json DEVICE`.
 *
 * @throws SyntaxError when the text is not such an answer
 */
export function parseFormatSupport(text: string): FormatSupport {
  const answer = parseObject(text);
  const oacs = requiredNumber(answer, "oacs", text);
  return {
    canFormat: (oacs & 2) !== 0,
    formatsAll: (optionalNumber(answer, "fna", text) & 1) !== 0,
    managesNamespaces: (oacs & 8) !== 0,
  };
}

/**
 * Reads the answer of `nvme id-ns -o json DEVICE`.
 *
 * @throws SyntaxError when the text is not such an answer
 */
export function parseNamespaceFormat(text: string): NamespaceFormat {
  const answer = parseObject(text);
  const flbas = requiredNumber(answer, "flbas", text);
  const dps = optionalNumber(answer, "dps", text);
  return {
    // The two highest bits of the number are stored separately.
    lbaFormat: (flbas & 0x0f) | ((flbas & 0x60) >> 1),
    extended: (flbas & 0x10) !== 0,
    protection: dps & 7,
    protectionFirst: (dps & 8) !== 0,
  };
}

/** The progress of a format in the answer of `nvme id-ns`, from 0 to 1; undefined when the controller reports none. */
export function parseFormatProgress(text: string): number | undefined {
  const fpi = Number(toBigInt(parseObject(text).fpi));
  // The highest bit says that the rest is a percentage.
  return (fpi & 0x80) === 0 ? undefined : 1 - (fpi & 0x7f) / 100;
}

/**
 * Reads the answer of `nvme list-ns -o json DEVICE`, `{"nsid_list":[{"nsid":1}]}`.
 *
 * @throws SyntaxError when the text is not such an answer
 */
export function parseNamespaceIds(text: string): readonly number[] {
  const { nsid_list: ids } = parseObject(text);
  if (!Array.isArray(ids)) throw new SyntaxError(`there is no nsid_list in "${excerpt(text)}"`);
  return ids.map((entry: unknown) =>
    Number(toBigInt(typeof entry === "object" && entry !== null && "nsid" in entry ? entry.nsid : entry)),
  );
}

/**
 * Reads the answer of `nvme smart-log -o json DEVICE`. Numbers of 128 bits are strings, the others are numbers; some
 * releases write `critical_warning` as an object with the bits spelled out, other names, or a temperature with its unit.
 *
 * @throws SyntaxError when the text is not JSON, as after some failures
 */
export function parseSmartLog(text: string): NvmeHealth {
  const log = parseObject(text);
  if (!("temperature" in log)) throw new SyntaxError(`there is no temperature in "${excerpt(text)}"`);
  const field = (...names: readonly string[]): bigint =>
    toBigInt(log[names.find((name) => name in log) ?? ""]);
  const warnings = Number(criticalWarning(log.critical_warning));
  return {
    temperature: kelvin(log.temperature),
    temperatureWarningTime: Number(field("warning_temp_time")),
    temperatureCriticalTime: Number(field("critical_comp_time")),
    controllerBusyTime: field("controller_busy_time"),
    powerCycles: field("power_cycles"),
    powerOnHours: field("power_on_hours"),
    unsafeShutdowns: field("unsafe_shutdowns"),
    mediaErrors: field("media_errors"),
    errorLogEntries: field("num_err_log_entries"),
    temperatureWarning: (warnings & WARNING.temperature) !== 0,
    spareWarning: (warnings & WARNING.spare) !== 0,
    reliabilityWarning: (warnings & WARNING.reliability) !== 0,
    readOnlyWarning: (warnings & WARNING.readOnly) !== 0,
    volatileWarning: (warnings & WARNING.volatile) !== 0,
    percentUsed: Number(field("percent_used", "percentage_used")),
  };
}

function criticalWarning(value: unknown): bigint {
  return typeof value === "object" && value !== null && "value" in value
    ? toBigInt(value.value)
    : toBigInt(value);
}

/** `323`, `"323 K"`, `"50 C"`, `"50°C (323 Kelvin)"`. 0 stands for "not reported". */
function kelvin(value: unknown): number {
  const text = typeof value === "number" ? `${value}` : typeof value === "string" ? value : "";
  const inKelvin = /(\d+)\s*°?\s*K/i.exec(text)?.[1];
  if (inKelvin !== undefined) return Number(inKelvin);
  const [, digits, unit] = /^\s*(-?\d+)\s*°?\s*([CF]?)/i.exec(text) ?? [];
  if (digits === undefined) return 0;
  const number = Number(digits);
  if (unit?.toUpperCase() === "F") return Math.round(((number - 32) * 5) / 9) + KELVIN_AT_0_CELSIUS;
  const isCelsius = unit?.toUpperCase() === "C" || (number > 0 && number < COLDEST_KELVIN);
  return Math.max(0, isCelsius ? number + KELVIN_AT_0_CELSIUS : number);
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  if (text.trim() === "") throw new SyntaxError("it is empty");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SyntaxError(`"${excerpt(text)}" is not JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new SyntaxError(`"${excerpt(text)}" is no object`);
  return value as Readonly<Record<string, unknown>>;
}

function requiredNumber(answer: Readonly<Record<string, unknown>>, name: string, text: string): number {
  if (!(name in answer)) throw new SyntaxError(`there is no ${name} in "${excerpt(text)}"`);
  const given = answer[name];
  // Some releases spell the bits out beside the number.
  const value = typeof given === "object" && given !== null && "value" in given ? given.value : given;
  const number = readBigInt(value);
  // A format with a wrong number would change the block size.
  if (number === undefined) throw new SyntaxError(`${name} is no number in "${excerpt(text)}"`);
  return Number(number);
}

/** 0 for a number that is left out. */
function optionalNumber(answer: Readonly<Record<string, unknown>>, name: string, text: string): number {
  return name in answer ? requiredNumber(answer, name, text) : 0;
}

function excerpt(text: string): string {
  return text.trim().replace(/\s+/g, " ").slice(0, 120);
}

/** 0 for what is not a number. */
function toBigInt(value: unknown): bigint {
  return readBigInt(value) ?? 0n;
}

function readBigInt(value: unknown): bigint | undefined {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return BigInt(value);
  if (typeof value !== "string") return undefined;
  // Some builds group digits, or write hexadecimal numbers.
  const digits = value.trim().replace(/(?<=\d),(?=\d{3})/g, "");
  return /^(?:0x[0-9a-f]+|\d+)$/i.test(digits) ? BigInt(digits) : undefined;
}
