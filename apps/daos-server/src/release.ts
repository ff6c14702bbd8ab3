import packageJson from "../package.json" with { type: "json" };

/** Of this program. */
export const VERSION: string = packageJson.version;
/** The release of DAOS whose data plane it runs. */
export const DAOS_RELEASE = "0.8.0";
