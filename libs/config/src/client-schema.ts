import * as z from "zod";
import { transportSchema } from "./transport-schema.ts";

const MAX_PORT = 65_535;

/** The client file, `daos.yml`. */
export const clientSchema = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[^\s/]+$/)
    .meta({
      title: "1 to 63 characters without white space and slashes",
      description: "Name of the DAOS system; the one in the servers' configuration.",
      default: "daos_server",
    })
    .optional(),
  access_points: z
    .array(z.string().min(1))
    .min(1)
    .meta({
      description: "Hosts of the management service, `host` or `host:port`.",
      default: ["localhost:10001"],
    })
    .optional(),
  port: z
    .int()
    .min(1)
    .max(MAX_PORT)
    .meta({ description: "Port of servers whose address has none.", default: 10001 })
    .optional(),
  hostlist: z
    .array(z.string().min(1))
    .min(1)
    .meta({
      description: "Servers that dmg talks to, as in `node[1-8]:10001`.",
      default: ["localhost:10001"],
      examples: [["node[1-8,10].cluster:10001"]],
    })
    .optional(),
  host_file: z
    .string()
    .min(1)
    .meta({ description: "File with one host list a line, instead of hostlist." })
    .optional(),
  runtime_dir: z
    .string()
    .min(1)
    .meta({ description: "Directory of the agent's socket.", default: "/var/run/daos_agent" })
    .optional(),
  log_file: z
    .string()
    .min(1)
    .meta({ description: "The client's log.", examples: ["/tmp/daos_agent.log"] })
    .optional(),
  log_file_format: z.string().min(1).meta({ description: "Read by release 0.8.0; not used." }).optional(),
  path: z.string().min(1).meta({ description: "Read by release 0.8.0; not used." }).optional(),
  transport_config: transportSchema
    .meta({ description: "Certificates that secure the connections to servers." })
    .optional(),
});

/** A client file before defaults. */
export type ClientFile = z.infer<typeof clientSchema>;
