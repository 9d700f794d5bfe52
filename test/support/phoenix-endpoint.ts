import type { ServerWebSocket } from "bun";

/** What a connection has: the topics it joined, each with the ref of its join and what was said in it. */
interface Membership {
  readonly joinRef: string | null;
  readonly params: Record<string, unknown>;
}
interface Connection {
  readonly topics: Map<string, Membership>;
}
type Socket = ServerWebSocket<Connection>;
type Five = [joinRef: string | null, ref: string | null, topic: string, event: string, payload: unknown];

export interface PhoenixEndpoint {
  readonly url: string;
  /** Heartbeats heard. */
  readonly heartbeats: number;
  /** Says `phx_error` in a topic to all its members, as when their channel processes crash. */
  crash(topic: string): void;
  stop(): Promise<void>;
}

/**
 * Phoenix's side of its Channels, and Supabase Realtime's of its broadcasts, as far as the official JavaScript clients
 * (`phoenix`, `@supabase/realtime-js`) can tell: `test/adapters/phoenix-endpoint.test.ts` has them judge it.
 *
 * In `room:…`: `shout` is broadcast to all, `whisper` to all others, `ping` is answered, anything else unmatched. Other
 * topics are refused. Messages are text, but for Supabase's broadcasts, which are binary both ways (version 2.0.0).
 */
export function startPhoenixEndpoint(): PhoenixEndpoint {
  const members = new Map<string, Set<Socket>>();
  let heartbeats = 0;

  const send = (socket: Socket, message: Five): void => {
    socket.send(JSON.stringify(message));
  };
  const reply = (socket: Socket, [joinRef, ref, topic]: Five, status: "ok" | "error", response: unknown) =>
    send(socket, [joinRef, ref, topic, "phx_reply", { status, response }]);
  const leave = (socket: Socket, topic: string) => {
    socket.data.topics.delete(topic);
    members.get(topic)?.delete(socket);
  };

  const join = (socket: Socket, message: Five) => {
    const [joinRef, , topic, , payload] = message;
    if (!/^(room|realtime):/.test(topic))
      return reply(socket, message, "error", { reason: "unmatched topic" });
    const params = payload as Record<string, unknown>;
    if (params.token === "wrong" || params.access_token === "wrong") {
      return reply(socket, message, "error", { reason: "unauthorized" });
    }
    // A second join of a topic replaces the first.
    if (socket.data.topics.has(topic)) {
      const { joinRef: before } = socket.data.topics.get(topic) as Membership;
      send(socket, [before, before, topic, "phx_close", {}]);
      leave(socket, topic);
    }
    socket.data.topics.set(topic, { joinRef, params });
    members.set(topic, (members.get(topic) ?? new Set()).add(socket));
    reply(socket, message, "ok", topic.startsWith("realtime:") ? { postgres_changes: [] } : {});
  };

  const hearText = (socket: Socket, message: Five) => {
    const [joinRef, ref, topic, event, payload] = message;
    if (topic === "phoenix" && event === "heartbeat") {
      heartbeats += 1;
      return reply(socket, message, "ok", {});
    }
    if (event === "phx_join") return join(socket, message);
    const membership = socket.data.topics.get(topic);
    if (membership === undefined) return reply(socket, message, "error", { reason: "unmatched topic" });
    if (event === "phx_leave") {
      reply(socket, message, "ok", {});
      send(socket, [joinRef, ref, topic, "phx_close", {}]);
      return leave(socket, topic);
    }
    const others = members.get(topic) ?? [];
    switch (event) {
      case "shout":
        for (const other of others) send(other, [null, null, topic, event, payload]);
        break;
      case "whisper":
        for (const other of others) if (other !== socket) send(other, [null, null, topic, event, payload]);
        reply(socket, message, "ok", {});
        break;
      case "ping":
        reply(socket, message, "ok", payload);
        break;
      case "access_token":
        break;
      default:
        reply(socket, message, "error", { reason: `no event ${event}` });
    }
  };

  /** Supabase's push of a broadcast, and what its members are sent of it: see their serializer. */
  const hearBinary = (socket: Socket, bytes: Buffer) => {
    if (bytes[0] !== 3) return socket.close(1003);
    const lengths = [...bytes.subarray(1, 6)];
    const texts: Buffer[] = [];
    let at = 7;
    for (const length of lengths) {
      texts.push(bytes.subarray(at, at + length));
      at += length;
    }
    const [joinRef, ref, topicBytes, event] = texts as [Buffer, Buffer, Buffer, Buffer];
    const topic = topicBytes.toString();
    const membership = socket.data.topics.get(topic);
    if (membership === undefined || membership.joinRef !== joinRef.toString()) return;
    const { broadcast } = membership.params.config as { broadcast: { ack?: boolean; self?: boolean } };
    const head = Buffer.from([4, topicBytes.length, event.length, 0, bytes[6] as number]);
    const sent = Buffer.concat([head, topicBytes, event, bytes.subarray(at)]);
    for (const other of members.get(topic) ?? []) {
      if (other !== socket || broadcast.self === true) other.send(sent);
    }
    if (broadcast.ack === true) {
      reply(socket, [membership.joinRef, ref.toString(), topic, "", null], "ok", {});
    }
  };

  const server = Bun.serve<Connection, never>({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request, server): Response | undefined {
      const { pathname, searchParams } = new URL(request.url);
      const isKnown = ["/socket/websocket", "/realtime/v1/websocket"].includes(pathname);
      if (!isKnown || searchParams.get("vsn") !== "2.0.0") return new Response("not found", { status: 404 });
      return server.upgrade(request, { data: { topics: new Map() } })
        ? undefined
        : new Response("upgrade required", { status: 426 });
    },
    websocket: {
      message(socket: Socket, message) {
        if (typeof message === "string") hearText(socket, JSON.parse(message));
        else hearBinary(socket, message);
      },
      close(socket: Socket) {
        for (const topic of socket.data.topics.keys()) members.get(topic)?.delete(socket);
      },
    },
  });

  return {
    url: `ws://127.0.0.1:${server.port}`,
    get heartbeats() {
      return heartbeats;
    },
    crash(topic) {
      for (const socket of members.get(topic) ?? []) {
        const { joinRef } = socket.data.topics.get(topic) as Membership;
        send(socket, [joinRef, joinRef, topic, "phx_error", {}]);
        leave(socket, topic);
      }
    },
    stop: () => server.stop(true),
  };
}
