import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { phoenix } from "../../src/engine/adapters/phoenix/phoenix.ts";
import { supabase } from "../../src/engine/adapters/phoenix/supabase.ts";
import { flawless, loadAdapter } from "../support/adapter-load.ts";
import { type PhoenixEndpoint, startPhoenixEndpoint } from "../support/phoenix-endpoint.ts";

setDefaultTimeout(60_000);

let endpoint: PhoenixEndpoint;
beforeEach(() => {
  endpoint = startPhoenixEndpoint();
});
afterEach(async () => {
  await endpoint.stop();
});
const load = (options: Record<string, string> = {}) =>
  loadAdapter({ adapter: phoenix, url: endpoint.url, options });

test("phoenix: what is shouted reaches everybody in its topic once, beside heartbeats", async () => {
  expect(await load()).toEqual(flawless(20, 0, 5000));
  expect(endpoint.heartbeats).toBe(20);
});

test("phoenix: replies, with and without what the others get", async () => {
  const payload = '{"deep":{"text":"{{message}}"},"of":"{{connection}}"}';
  expect(await load({ event: "ping", payload, reply: "yes", delivery: "nobody" })).toEqual(
    flawless(20, 1000, 0),
  );
  expect(await load({ event: "whisper", payload, reply: "yes", delivery: "others-in-room" })).toEqual(
    flawless(20, 1000, 4000),
  );
});

test("phoenix: a refused topic, params and event are told in the server's words", async () => {
  expect((await load({ topic: "nowhere" })).refusals).toEqual({ "unmatched topic": 20 });
  expect((await load({ params: '{"token":"wrong"}' })).refusals).toEqual({ unauthorized: 20 });
  expect(
    (
      await loadAdapter({
        adapter: phoenix,
        url: endpoint.url,
        options: { event: "what", delivery: "nobody" },
        connections: 2,
        messagesPerConnection: 1,
      })
    ).refusals,
  ).toEqual({ "no event what": 2 });
});

test("supabase: broadcasts are acknowledged and reach their channel once", async () => {
  const options = { token: "t-{{connection}}" };
  expect(await loadAdapter({ adapter: supabase, url: endpoint.url, options })).toEqual(
    flawless(20, 1000, 5000),
  );
  const quiet = { self: "no", ack: "no" };
  expect(await loadAdapter({ adapter: supabase, url: endpoint.url, options: quiet })).toEqual(
    flawless(20, 0, 4000),
  );
  const refused = await loadAdapter({ adapter: supabase, url: endpoint.url, options: { token: "wrong" } });
  expect(refused.refusals).toEqual({ unauthorized: 20 });
});
