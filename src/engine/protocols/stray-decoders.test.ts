import { expect, test } from "bun:test";
import { MessageReader } from "./chaos-chat/message-reader.ts";
import { echoRoom } from "./protocol.ts";
import { StrayDecoders } from "./stray-decoders.ts";

test("one decoder for each room that somebody joins and for echoes, none for rooms of a server's own invention", () => {
  const created: number[] = [];
  const strays = new StrayDecoders({ joins: [{ first: 3, count: 2 }] }, (room) => {
    created.push(room);
    return new MessageReader(room, 0, 200);
  });
  for (const room of [2, 5, 1_000_000, null]) expect(strays.of(room)).toBeNull();
  const joined = strays.of(3);
  expect(joined).not.toBeNull();
  expect(strays.of(3)).toBe(joined);
  expect(strays.of(4)).not.toBe(joined);
  expect(strays.of(echoRoom)).not.toBeNull();
  expect(created).toEqual([3, 4, echoRoom]);
});
