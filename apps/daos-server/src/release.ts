import packageJson from "../package.json" with { type: "json" };

/** The version of this program. */
export const VERSION: string = packageJson.version;
/** The DAOS release of its data plane. */
export const DAOS_RELEASE = "0.8.0";
