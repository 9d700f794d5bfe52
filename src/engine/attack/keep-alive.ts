import type { Connection } from "../connection.ts";
import type { Talk } from "./talk.ts";

const emptyPayload = new Uint8Array(0);

/** Sends what keeps connections open beside the load: pings, and an adapter's heartbeats. */
export function keepAlive(
  ready: Iterable<Connection>,
  pingIntervalSeconds: number | null,
  talk: Pick<Talk, "heartbeat" | "heartbeatSeconds">,
): Timer[] {
  const every = (seconds: number | null, send: (connection: Connection) => void) => {
    if (seconds === null) return [];
    const sendAll = () => {
      for (const connection of ready) send(connection);
    };
    return [setInterval(sendAll, seconds * 1000)];
  };
  return [
    ...every(pingIntervalSeconds, (connection) => connection.ping(emptyPayload)),
    ...every(talk.heartbeatSeconds, (connection) => talk.heartbeat(connection)),
  ];
}
