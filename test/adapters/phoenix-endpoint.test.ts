import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { RealtimeClient } from "@supabase/realtime-js";
// @ts-expect-error: it comes without types
import { Socket } from "phoenix";
import { type PhoenixEndpoint, startPhoenixEndpoint } from "../support/phoenix-endpoint.ts";

// The official clients judge the endpoint that the adapters are tested with.

setDefaultTimeout(30_000);

let endpoint: PhoenixEndpoint;
beforeEach(() => {
  endpoint = startPhoenixEndpoint();
});
afterEach(async () => {
  await endpoint.stop();
});

interface Push {
  receive(status: string, callback: (response: unknown) => void): Push;
}
const answerTo = (push: Push) =>
  new Promise<[status: string, response: unknown]>((resolve) => {
    for (const status of ["ok", "error", "timeout"])
      push.receive(status, (response) => resolve([status, response]));
  });

test("phoenix: join, push, reply, broadcast, heartbeat, refusals, rejoin and leave", async () => {
  const socket = new Socket(`${endpoint.url}/socket`, {
    transport: WebSocket,
    heartbeatIntervalMs: 50,
    rejoinAfterMs: () => 20,
  });
  socket.connect();
  const channel = socket.channel("room:a", {});
  const heard: unknown[] = [];
  channel.on("shout", (payload: unknown) => heard.push(payload));
  let joins = 0;
  const rejoined = new Promise<void>((resolve) => {
    channel.join().receive("ok", () => {
      joins += 1;
      if (joins === 2) resolve();
    });
  });
  expect(await answerTo(channel.push("ping", { n: 1 }))).toEqual(["ok", { n: 1 }]);
  channel.push("shout", { body: "x" });
  expect(await answerTo(channel.push("nothing", {}))).toEqual(["error", { reason: "no event nothing" }]);
  expect(heard).toEqual([{ body: "x" }]);
  expect(await answerTo(socket.channel("nowhere", {}).join())).toEqual([
    "error",
    { reason: "unmatched topic" },
  ]);

  endpoint.crash("room:a");
  await rejoined;
  expect(await answerTo(channel.push("ping", { n: 2 }))).toEqual(["ok", { n: 2 }]);
  while (endpoint.heartbeats < 2) await Bun.sleep(10);
  expect(socket.isConnected()).toBe(true);
  expect((await answerTo(channel.leave()))[0]).toBe("ok");
  expect(channel.state).toBe("closed");
  socket.disconnect();
});

test("@supabase/realtime-js: subscribe, a broadcast that is acknowledged, and one of somebody else", async () => {
  const clients = [1, 2].map(
    () =>
      new RealtimeClient(`${endpoint.url}/realtime/v1`, {
        params: { apikey: "key" },
        transport: WebSocket as never,
      }),
  );
  const heard: string[] = [];
  const channels = await Promise.all(
    clients.map(async (client, index) => {
      const channel = client.channel("a", { config: { broadcast: { ack: true, self: index === 0 } } });
      channel.on("broadcast", { event: "message" }, ({ payload }) => heard.push(`${index}:${payload.body}`));
      await new Promise<void>((resolve) =>
        channel.subscribe((status) => {
          if (status === "SUBSCRIBED") resolve();
        }),
      );
      return channel;
    }),
  );
  for (const [index, channel] of channels.entries()) {
    const sent = await channel.send({
      type: "broadcast",
      event: "message",
      payload: { body: `of ${index}` },
    });
    expect(sent).toBe("ok");
  }
  while (heard.length < 3) await Bun.sleep(10);
  expect(heard.sort()).toEqual(["0:of 0", "0:of 1", "1:of 0"]);
  for (const client of clients) client.disconnect();
});
