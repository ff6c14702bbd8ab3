import { connect, type IncomingHttpHeaders, type SecureClientSessionOptions } from "node:http2";

/** How a call ended. */
export interface GrpcAnswer {
  readonly status: string | undefined;
  /** The body, or else the status message. */
  readonly text: string;
}

/** One call with an empty request, on a connection of its own, without a gRPC library. */
export async function grpcCall(
  port: number,
  tls: SecureClientSessionOptions | undefined,
  path = "/mgmt.MgmtSvc/LeaderQuery",
): Promise<GrpcAnswer> {
  const session = connect(`${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`, tls);
  try {
    return await new Promise<GrpcAnswer>((resolve, reject) => {
      // A session that ends without an error must end the wait too.
      session.on("error", reject).on("close", () => reject(new Error("the connection was closed")));
      const stream = session.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
      });
      let headers: IncomingHttpHeaders = {};
      let text = "";
      const add = (more: IncomingHttpHeaders) => {
        headers = { ...headers, ...more };
      };
      stream.on("response", add).on("trailers", add);
      // The session's own error says more than its streams'.
      stream.on("error", (error) => setImmediate(reject, error));
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      stream.on("end", () => {
        const message = decodeURIComponent(headers["grpc-message"]?.toString() ?? "");
        resolve({ status: headers["grpc-status"]?.toString(), text: text === "" ? message : text });
      });
      // An empty message: no compression, length 0.
      stream.end(Buffer.alloc(5));
    });
  } finally {
    session.destroy();
  }
}
