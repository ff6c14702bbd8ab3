const UNITS = ["B", "KB", "MB", "GB", "TB", "PB", "EB"];

/**
 * A size as release 0.8.0 writes it: powers of 1024 under the names of powers of 1000, two decimals: `1005.20GB`.
 */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(2)}${UNITS[unit]}`;
}

/** A device temperature, in kelvin, shown in degrees Celsius. */
export function formatCelsius(kelvin: number): string {
  return `${kelvin - 273} C (${kelvin} K)`;
}
