import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { longestMs } from "../showdown/showdown.ts";
import { attack, small } from "./attack.ts";
import { echo, type serve, start, stopServers } from "./servers.ts";

setDefaultTimeout(longestMs);

afterAll(stopServers);

const wordy = `{"id":{{sequence}},"text":"${"the same again and again, ".repeat(20)}"}`;

test.concurrent.each(["no-takeover", "takeover"] as const)(
  "--compression %s: all is audited, and bytes are counted on the wire beside the payload",
  async (mode) => {
    const url = start(echo, { compresses: true });
    const { result, stderr } = await attack(url, ...small, "--compression", mode, "--message", wordy);
    expect(result.messages).toMatchObject({ sent: 400, answered: 400, lost: 0, unmatched: 0 });
    const { compression } = result;
    expect(compression).toMatchObject({ agreed: 4, declined: 0 });
    expect(compression?.sentPayloadBytes).toBe(result.messages.bytesSent);
    expect(compression?.receivedPayloadBytes).toBe(result.messages.bytesReceived);
    expect(compression?.sentWireBytes).toBeLessThan(result.messages.bytesSent / 4);
    expect(compression?.receivedWireBytes).toBeLessThan(result.messages.bytesReceived / 4);
    expect(stderr).toContain("on the wire");
  },
);

test.concurrent("a server that declines is told, and gets plain messages", async () => {
  const { result, stderr } = await attack(start(echo), ...small, "--compression", "no-takeover");
  expect(result.messages).toMatchObject({ sent: 400, answered: 400 });
  expect(result.compression).toMatchObject({ agreed: 0, declined: 4, sentWireBytes: 0 });
  expect(stderr.replace(/\s+/g, " ")).toContain("does not speak permessage-deflate: messages went plain");
});

test.concurrent("a bomb is not inflated: its connection is closed for it, and the rest goes on", async () => {
  const bomb = Buffer.alloc((8 << 20) + 1);
  const throwing: Parameters<typeof serve>[0] = (socket, message) => {
    if (socket.data.messages === 20 && String(message).endsWith(" of 1")) socket.send(bomb, true);
    else socket.send(message, true);
  };
  const { result } = await attack(
    start(throwing, { compresses: true }),
    ...small,
    "--compression",
    "takeover",
  );
  expect(result.connections).toMatchObject({ died: 1, openAtEnd: 3 });
  expect(result.connections.deaths).toEqual([
    { failure: { kind: "protocol", rule: "inflated-message-too-long" }, count: 1 },
  ]);
  expect(result.compression?.receivedWireBytes).toBeLessThan(1 << 20);
});
