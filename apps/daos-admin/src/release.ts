/** The release of the helper. A test compares it with package.json. */
export const HELPER_RELEASE = "0.1.0";
