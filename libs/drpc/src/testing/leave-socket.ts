import { PacketListener } from "../packet-listener.ts";

// A server that ends without closing: its socket file stays.
await PacketListener.listen(process.argv[2] ?? "", { onSocket: () => {}, onError: () => {} });
process.exit(0);
