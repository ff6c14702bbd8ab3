/** The error codes of RST_STREAM and GOAWAY. @see RFC 9113 section 7 */
export const ErrorCode = {
  noError: 0,
  protocolError: 1,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const;

/** A peer breaks the protocol. It ends the connection, or one stream when it is thrown for the header of that stream. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  /** As the errors of Node.js have it, for whoever explains the failure of a connection. */
  readonly code = "ERR_HTTP2_PROTOCOL";
  /** For the GOAWAY or RST_STREAM that says so to the peer. */
  readonly errorCode: number;

  constructor(message: string, errorCode: number = ErrorCode.protocolError) {
    super(message);
    this.errorCode = errorCode;
  }
}
