import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { actionCable } from "../../src/engine/adapters/actioncable.ts";
import { type ActionCable, startActionCable } from "../support/action-cable.ts";
import { flawless, loadAdapter } from "../support/adapter-load.ts";
import { unpackDebian } from "../support/debian-folder.ts";

setDefaultTimeout(300_000);

const unpacked = unpackDebian("actioncable", "ruby", "ruby-actioncable", "ruby-zeitwerk", "puma");
if ("skipped" in unpacked) console.log(`Action Cable is left out: ${unpacked.skipped}`);
const withActionCable = test.skipIf("skipped" in unpacked);

let server: ActionCable | null = null;
beforeAll(async () => {
  if ("folder" in unpacked) server = await startActionCable(unpacked.folder);
});
afterAll(async () => await server?.stop());

const load = (options: Record<string, string>, query = "") =>
  loadAdapter({
    adapter: actionCable,
    url: `${server?.url}${query}`,
    options,
    connections: 8,
    messagesPerConnection: 50,
  });

withActionCable("Action Cable: what is broadcast reaches everybody in its stream once", async () => {
  expect(await load({})).toEqual(flawless(8, 0, 800));
});

withActionCable("Action Cable: what is transmitted comes back to its sender", async () => {
  expect(await load({ action: "echo", delivery: "sender" })).toEqual(flawless(8, 0, 400));
});

withActionCable("Action Cable: a rejected subscription and connection are told", async () => {
  expect((await load({ params: '{"room":"r9"}' })).refusals).toEqual({
    "the channel rejected the subscription": 8,
  });
  expect((await load({}, "?token=wrong")).refusals).toEqual({ "disconnected: unauthorized": 8 });
});
