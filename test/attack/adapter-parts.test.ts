import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { longestMs, temporaryFolder } from "../showdown/showdown.ts";
import { attack, small } from "./attack.ts";
import { serve, type TestServer } from "./servers.ts";

setDefaultTimeout(longestMs);

let server: TestServer | null = null;
afterEach(async () => await server?.stop());

/** Replies to each message by its number, and hears what is handed on to its sender. */
const adapter = `export default {
  name: "both",
  answers: { reply: true, delivery: "sender" },
  createSession: (client) => ({
    opened: () => client.ready(),
    publish: (payload, id) => client.say(JSON.stringify({ id, payload })),
    received: (message) => {
      const { id, payload } = JSON.parse(message);
      if (id !== undefined) client.reply(id);
      else client.deliver(payload);
    },
  }),
};
`;

test("replies and deliveries are told apart, and what nobody waited for by rule", async () => {
  const file = join(temporaryFolder(), "both.ts");
  writeFileSync(file, adapter);
  server = serve((socket, message) => {
    const { id, payload } = JSON.parse(String(message));
    const isNth = socket.data.messages % 50 === 0;
    socket.send(JSON.stringify({ id: isNth ? 1_000_000 : id }));
    socket.send(JSON.stringify({ payload: isNth ? "who is it?" : payload }));
  });
  const secret = ["--adapter-option", "password=hush"];
  const { result, stderr } = await attack(server.url, ...small, "--adapter", file, ...secret);
  expect(result.messages).toMatchObject({ sent: 400, expected: 800, answered: 784, lost: 16, unmatched: 16 });
  expect(result.messages.deliveries).toEqual({ expected: 400, arrived: 392 });
  expect(result.strays.toSorted((a, b) => a.rule.localeCompare(b.rule))).toEqual([
    { rule: "delivery-without-stamp", count: 8 },
    { rule: "reply-to-nothing", count: 8 },
  ]);
  expect(stderr).toMatch(/replies +392 +8/);
  expect(stderr).toContain("8 × a delivery that is none of this attack's messages");
  expect(JSON.stringify(result)).not.toContain("hush");
});
