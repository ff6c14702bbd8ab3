import { createContextKey, type Interceptor } from "@connectrpc/connect";
import type { FaultAudience } from "@daos/fault";
import { toConnectError } from "./to-connect-error.ts";

/** Who gets the faults of a call. The app that owns the listener sets it for each request; otherwise no path is sent. */
export const audienceKey = createContextKey<FaultAudience>("peer", { description: "who gets the faults" });

/**
 * Converts every error of a server's handlers with {@link toConnectError}, errors in the middle of a stream included. Give
 * it to `connectNodeAdapter({ interceptors })`.
 */
export const faultInterceptor: Interceptor = (next) => async (request) => {
  const audience = request.contextValues.get(audienceKey);
  try {
    const response = await next(request);
    return response.stream ? { ...response, message: withFaults(response.message, audience) } : response;
  } catch (error) {
    throw toConnectError(error, audience);
  }
};

async function* withFaults<T>(messages: AsyncIterable<T>, audience: FaultAudience): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw toConnectError(error, audience);
  }
}
