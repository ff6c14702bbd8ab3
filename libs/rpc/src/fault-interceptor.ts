import type { Interceptor } from "@connectrpc/connect";
import { toConnectError } from "./to-connect-error.ts";

/**
 * Converts every error of a server's handlers with {@link toConnectError}, errors in the middle of a stream included. Give
 * it to `connectNodeAdapter({ interceptors })`.
 */
export const faultInterceptor: Interceptor = (next) => async (request) => {
  try {
    const response = await next(request);
    return response.stream ? { ...response, message: withFaults(response.message) } : response;
  } catch (error) {
    throw toConnectError(error);
  }
};

async function* withFaults<T>(messages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw toConnectError(error);
  }
}
