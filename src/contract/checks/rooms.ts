import { describe } from "../arrival.ts";
import { BrokenRule, type Check, type CheckContext } from "../check.ts";
import { expectEcho, expectMessage, expectMessages, expectNothing } from "../expectations.ts";
import { closeFrame, cut, fragments, textFrame } from "../frame.ts";
import { join, joined, MAX_MESSAGE_BYTES, say, sayOfBytes, sayRaw } from "../messages.ts";
import type { RawConnection } from "../raw-connection.ts";

const delivery = {
  reference: "contract, promises (delivery)",
  grade: "required",
  nextStep: "Send a room's messages to each member once, in the order received.",
} as const;

const messagesClause = "contract, messages";

async function joinRoom(connection: RawConnection, room: string): Promise<void> {
  connection.send(textFrame(join(room)));
  await expectMessage(connection, joined(room), "the answer to join");
}

async function members(context: CheckContext, room: string, count: number): Promise<RawConnection[]> {
  const connections = await Promise.all(Array.from({ length: count }, () => context.open()));
  await Promise.all(connections.map((connection) => joinRoom(connection, room)));
  return connections;
}

function pick<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`no item ${index} of ${items.length}`);
  return item;
}

const series = (room: string, from: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) =>
    say(room, { from, seq: i + 1, at: i, text: "x".repeat((i * 7) % 60) }),
  );

const frames = (messages: readonly string[]): Buffer =>
  Buffer.concat(messages.map((message) => textFrame(message)));

/** Each receiver gets all messages, in order, and no more. */
async function expectDelivered(
  context: CheckContext,
  receivers: readonly RawConnection[],
  messages: readonly (string | Uint8Array)[],
): Promise<void> {
  await Promise.all(
    receivers.map(async (receiver, i) => {
      await expectMessages(receiver, messages, `each message once and in order at member ${i + 1}`);
      await expectNothing(context, receiver, `nothing more at member ${i + 1}`);
    }),
  );
}

/** Messages of several senders, whose order among each other is free. */
async function expectMixed(
  receiver: RawConnection,
  bySender: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const left = new Map([...bySender].map(([from, messages]) => [from, [...messages]]));
  for (let i = [...left.values()].flat().length; i > 0; i--) {
    const arrival = await receiver.next();
    const message = arrival.kind === "message" ? arrival.bytes.toString() : "";
    const from = /"from":"([^"]*)"/.exec(message)?.[1] ?? "";
    const wanted = left.get(from)?.shift();
    if (message !== wanted || wanted === undefined)
      throw new BrokenRule(wanted ?? "no more messages of this sender", describe(arrival));
  }
}

export const roomChecks: readonly Check[] = [
  {
    id: "rooms.join",
    rule: "A join is answered with joined, byte for byte.",
    reference: `${messagesClause} (join)`,
    grade: "required",
    nextStep: 'Answer {"type":"joined","room":"…"} without spaces, type first.',
    run: async (context) => {
      await members(context, context.room(), 1);
    },
  },
  {
    id: "rooms.names",
    rule: "A room name is 1 to 64 characters out of A-Z a-z 0-9 . _ -",
    reference: `${messagesClause} (room name)`,
    grade: "required",
    nextStep: "Accept all of these characters, also as the first.",
    run: async (context) => {
      const connection = await context.open();
      const own = context.room();
      for (const room of [`.${own}`, `-${own}_A.Z`, `0${own}`, own.padEnd(64, "Zz9_.-")]) {
        await joinRoom(connection, room);
        connection.send(textFrame(say(room)));
        await expectMessage(connection, say(room));
      }
    },
  },
  {
    id: "rooms.identity",
    rule: "A say reaches every member with identical bytes, also the sender.",
    reference: `${messagesClause} (say), identical bytes`,
    grade: "required",
    nextStep: "Forward the received bytes instead of re-encoding the message.",
    run: async (context) => {
      const room = context.room();
      const connections = await members(context, room, 3);
      const messages = [
        say(room, { from: "c17", seq: 1, at: 123_456, text: "hello" }),
        say(room, { from: "č1", seq: 2, text: "中文 👩‍👧 \u2028" }),
        sayRaw(room, String.raw`"\u0041\u00e9\/\ud83d\ude00 <&> \" \\n"`),
        say(room, { from: '","room":"other', seq: 4, text: '{"type":"join"}' }),
      ];
      pick(connections, 0).send(frames(messages));
      await expectDelivered(context, connections, messages);
    },
  },
  {
    id: "rooms.join-twice",
    rule: "Joining twice is answered twice and delivers once.",
    reference: `${messagesClause} (join)`,
    grade: "required",
    nextStep: "Keep members in a set.",
    run: async (context) => {
      const room = context.room();
      const connections = await members(context, room, 2);
      await joinRoom(pick(connections, 1), room);
      const messages = series(room, "twice", 3);
      pick(connections, 0).send(frames(messages));
      await expectDelivered(context, connections, messages);
    },
  },
  {
    id: "rooms.isolation",
    rule: "A message stays in its room.",
    reference: `${messagesClause} (say)`,
    grade: "required",
    nextStep: "Look up members by the whole room name, not by a part of it.",
    run: async (context) => {
      const room = context.room();
      const inside = await members(context, room, 2);
      const outside = [
        ...(await members(context, `${room}x`, 1)),
        ...(await members(context, room.slice(0, -1), 1)),
        ...(await members(context, context.room(), 1)),
        await context.open(),
      ];
      const messages = series(room, "inside", 5);
      pick(inside, 0).send(frames(messages));
      await expectDelivered(context, inside, messages);
      for (const connection of outside) await expectEcho(connection, "outside");
      for (const connection of outside)
        await expectNothing(context, connection, "nothing from a room that was not joined");
    },
  },
  {
    id: "rooms.several",
    rule: "A connection in several rooms gets the messages of all of them.",
    reference: `${messagesClause} (join)`,
    grade: "required",
    nextStep: "Keep a set of rooms per connection. A second join must not leave the first room.",
    run: async (context) => {
      const rooms = [context.room(), context.room(), context.room()];
      const connection = await context.open();
      for (const room of rooms) await joinRoom(connection, room);
      const sender = await context.open();
      for (const room of rooms) {
        sender.send(textFrame(say(room)));
        await expectMessage(connection, say(room));
      }
      await expectNothing(context, connection, "each message once");
    },
  },
  {
    id: "rooms.not-member",
    rule: "A sender outside the room reaches its members and gets nothing itself.",
    reference: `${messagesClause} (say: the sender included if it is one)`,
    grade: "required",
    nextStep: "Send to members only.",
    run: async (context) => {
      const room = context.room();
      const inside = await members(context, room, 2);
      const sender = await context.open();
      const messages = series(room, "visitor", 3);
      sender.send(frames(messages));
      await expectDelivered(context, inside, messages);
      await expectEcho(sender, "visitor");
      await expectNothing(context, sender, "nothing at a sender that is no member");
    },
  },
  {
    id: "rooms.nobody",
    rule: "A say to an empty room sends nothing.",
    reference: `${messagesClause} (say: a room nobody joined)`,
    grade: "required",
    nextStep: "Treat an unknown room as empty, not as an error.",
    run: async (context) => {
      const connection = await context.open();
      connection.send(textFrame(say(context.room())));
      await expectEcho(connection, "nobody");
      await expectNothing(context, connection, "nothing after a say to an empty room");
    },
  },
  {
    ...delivery,
    id: "rooms.order",
    rule: "Each member gets every message of a sender exactly once and in order.",
    run: async (context) => {
      const room = context.room();
      const connections = await members(context, room, 4);
      const messages = series(room, "order", 300);
      for (const message of messages) pick(connections, 0).send(textFrame(message));
      await expectDelivered(context, connections, messages);
    },
  },
  {
    ...delivery,
    id: "rooms.batch",
    rule: "Many says in one TCP segment are all delivered, in order.",
    run: async (context) => {
      const room = context.room();
      const connections = await members(context, room, 3);
      const messages = series(room, "batch", 400);
      const bytes = frames(messages);
      pick(connections, 1).send(bytes.subarray(0, -5));
      await expectMessage(pick(connections, 0), pick(messages, 0), "the first message of the batch");
      pick(connections, 1).send(bytes.subarray(-5));
      await expectDelivered(context, [pick(connections, 0)], messages.slice(1));
      await expectDelivered(context, connections.slice(1), messages);
    },
  },
  {
    ...delivery,
    id: "rooms.senders",
    rule: "With several senders, each member gets every message exactly once, in its sender's order.",
    run: async (context) => {
      const room = context.room();
      const connections = await members(context, room, 5);
      const bySender = new Map(connections.map((_, i) => [`c${i}`, series(room, `c${i}`, 100)]));
      for (const [i, sender] of connections.entries())
        await sender.sendApart(cut(frames(bySender.get(`c${i}`) ?? []), 4_096), 0);
      await Promise.all(
        connections.map(async (connection) => {
          await expectMixed(connection, bySender);
          await expectNothing(context, connection, "each message once");
        }),
      );
    },
  },
  {
    ...delivery,
    id: "rooms.large",
    rule: "Messages of 64 KiB between small ones reach every member whole.",
    reference: "contract, endpoints (up to 65,536 bytes), promises (delivery)",
    run: async (context) => {
      const room = context.room();
      const connections = await members(context, room, 3);
      const messages = [say(room, { seq: 1 }), sayOfBytes(room, MAX_MESSAGE_BYTES), say(room, { seq: 3 })];
      pick(connections, 0).send(frames(messages));
      await expectDelivered(context, connections, messages);
    },
  },
  {
    ...delivery,
    id: "rooms.fragmented",
    rule: "A fragmented say is delivered like a whole one.",
    reference: "RFC 6455 5.4, contract, endpoints (fragmented messages are put together)",
    nextStep: "Reassemble the message before routing it.",
    run: async (context) => {
      const room = context.room();
      const connections = await members(context, room, 2);
      const message = say(room, { text: "in pieces" });
      pick(connections, 0).send(...fragments(cut(Buffer.from(message), 9)));
      await expectDelivered(context, connections, [message]);
    },
  },
  {
    ...delivery,
    id: "rooms.leavers",
    rule: "Members that close or reset during a broadcast cost the others nothing.",
    nextStep: "Remove a closed connection from its rooms. A failed write must end that connection only.",
    run: async (context) => {
      const room = context.room();
      const connections = await members(context, room, 6);
      const stayers = connections.slice(0, 3);
      const messages = series(room, "stayer", 200);
      const sender = pick(stayers, 0);
      const [closes, resets, resetsLast] = [pick(connections, 3), pick(connections, 4), pick(connections, 5)];
      const leave = [() => closes.send(closeFrame(1000)), () => resets.reset()];
      for (const [i, message] of messages.entries()) {
        sender.send(textFrame(message));
        if (i % 50 !== 49) continue;
        // Else all would be written before the first of them is delivered.
        await expectMessages(sender, messages.slice(i - 49, i + 1), "each message at its sender");
        leave.shift()?.();
      }
      // One is reset while nothing is being written to it, and found gone by the next message.
      resetsLast.reset();
      await expectNothing(context, sender, "nothing more at the sender");
      const last = say(room, { from: "stayer", seq: messages.length + 1 });
      sender.send(textFrame(last));
      await expectDelivered(context, [sender], [last]);
      await expectDelivered(context, stayers.slice(1), [...messages, last]);
    },
  },
];
