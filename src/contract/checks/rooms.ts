import { BrokenRule, type Check, type CheckContext, required } from "../check.ts";
import {
  expectEcho,
  expectMessage,
  expectMessages,
  expectNothing,
  expectReturned,
  joinRoom,
  openMembers,
} from "../expectations.ts";
import { closeFrame, cut, fragments, textFrame, textFrames } from "../frame.ts";
import { MAX_MESSAGE_BYTES, say, sayOfBytes, sayRaw } from "../messages.ts";
import type { RawConnection } from "../raw-connection.ts";

const delivery = "contract, promises (delivery)";
const sendOnce = "Send a room's messages to each member once, in the order received.";

/** A room that nobody else uses, and connections that have joined it. */
interface Room {
  readonly room: string;
  readonly members: readonly RawConnection[];
  readonly first: RawConnection;
}

async function openRoom(context: CheckContext, count: number): Promise<Room> {
  const room = context.room();
  const members = await openMembers(context, room, count);
  return { room, members, first: pick(members, 0) };
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

/** Each receiver gets all messages, in order, and no more. */
async function expectDelivered(
  context: CheckContext,
  receivers: readonly RawConnection[],
  messages: readonly string[],
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
      throw new BrokenRule(wanted ?? "no more messages of this sender", arrival);
  }
}

export const roomChecks: readonly Check[] = [
  required("rooms.join", "contract, messages (join)", {
    rule: "A join is answered with joined, byte for byte.",
    nextStep: 'Answer {"type":"joined","room":"…"} without spaces, type first.',
    talk: (connection, context) => joinRoom(connection, context.room()),
  }),
  required("rooms.names", "contract, messages (room name)", {
    rule: "A room name is 1 to 64 characters out of A-Z a-z 0-9 . _ -",
    nextStep: "Accept all of these characters, also as the first.",
    talk: async (connection, context) => {
      const own = context.room();
      for (const room of [`.${own}`, `-${own}_A.Z`, `0${own}`, own.padEnd(64, "Zz9_.-")]) {
        await joinRoom(connection, room);
        await expectReturned(connection, say(room));
      }
    },
  }),
  required("rooms.identity", "contract, messages (say), identical bytes", {
    rule: "A say reaches every member with identical bytes, also the sender.",
    nextStep: "Forward the received bytes instead of re-encoding the message.",
    run: async (context) => {
      const { room, members, first } = await openRoom(context, 3);
      const messages = [
        say(room, { from: "c17", seq: 1, at: 123_456, text: "hello" }),
        say(room, { from: "č1", seq: 2, text: "中文 👩‍👧 \u2028" }),
        sayRaw(room, String.raw`"\u0041\u00e9\/\ud83d\ude00 <&> \" \\n"`),
        say(room, { from: '","room":"other', seq: 4, text: '{"type":"join"}' }),
      ];
      first.send(textFrames(messages));
      await expectDelivered(context, members, messages);
    },
  }),
  required("rooms.join-twice", "contract, messages (join)", {
    rule: "Joining twice is answered twice and delivers once.",
    nextStep: "Keep members in a set.",
    run: async (context) => {
      const { room, members, first } = await openRoom(context, 2);
      await joinRoom(pick(members, 1), room);
      const messages = series(room, "twice", 3);
      first.send(textFrames(messages));
      await expectDelivered(context, members, messages);
    },
  }),
  required("rooms.isolation", "contract, messages (say)", {
    rule: "A message stays in its room.",
    nextStep: "Look up members by the whole room name, not by a part of it.",
    run: async (context) => {
      const { room, members, first } = await openRoom(context, 2);
      const outside = [await context.open()];
      for (const other of [`${room}x`, room.slice(0, -1), context.room()])
        outside.push(...(await openMembers(context, other, 1)));
      const messages = series(room, "inside", 5);
      first.send(textFrames(messages));
      await expectDelivered(context, members, messages);
      for (const connection of outside) await expectEcho(connection, "outside");
      for (const connection of outside)
        await expectNothing(context, connection, "nothing from a room that was not joined");
    },
  }),
  required("rooms.several", "contract, messages (join)", {
    rule: "A connection in several rooms gets the messages of all of them.",
    nextStep: "Keep a set of rooms per connection. A second join must not leave the first room.",
    talk: async (connection, context) => {
      const rooms = [context.room(), context.room(), context.room()];
      for (const room of rooms) await joinRoom(connection, room);
      const sender = await context.open();
      for (const room of rooms) {
        sender.send(textFrame(say(room)));
        await expectMessage(connection, say(room));
      }
      await expectNothing(context, connection, "each message once");
    },
  }),
  required("rooms.not-member", "contract, messages (say: the sender included if it is one)", {
    rule: "A sender outside the room reaches its members and gets nothing itself.",
    nextStep: "Send to members only.",
    talk: async (sender, context) => {
      const { room, members } = await openRoom(context, 2);
      const messages = series(room, "visitor", 3);
      sender.send(textFrames(messages));
      await expectDelivered(context, members, messages);
      await expectEcho(sender, "visitor");
      await expectNothing(context, sender, "nothing at a sender that is no member");
    },
  }),
  required("rooms.nobody", "contract, messages (say: a room nobody joined)", {
    rule: "A say to an empty room sends nothing.",
    nextStep: "Treat an unknown room as empty, not as an error.",
    talk: async (connection, context) => {
      connection.send(textFrame(say(context.room())));
      await expectEcho(connection, "nobody");
      await expectNothing(context, connection, "nothing after a say to an empty room");
    },
  }),
  required("rooms.order", delivery, {
    rule: "Each member gets every message of a sender exactly once and in order.",
    nextStep: sendOnce,
    run: async (context) => {
      const { room, members, first } = await openRoom(context, 4);
      const messages = series(room, "order", 300);
      for (const message of messages) first.send(textFrame(message));
      await expectDelivered(context, members, messages);
    },
  }),
  required("rooms.batch", delivery, {
    rule: "Many says in one TCP segment are all delivered, in order.",
    nextStep: sendOnce,
    run: async (context) => {
      const { room, members, first } = await openRoom(context, 3);
      const sender = pick(members, 1);
      const messages = series(room, "batch", 400);
      const bytes = textFrames(messages);
      sender.send(bytes.subarray(0, -5));
      await expectMessage(first, pick(messages, 0), "the first message of the batch");
      sender.send(bytes.subarray(-5));
      await expectDelivered(context, [first], messages.slice(1));
      await expectDelivered(context, members.slice(1), messages);
    },
  }),
  required("rooms.senders", delivery, {
    rule: "With several senders, each member gets every message exactly once, in its sender's order.",
    nextStep: sendOnce,
    run: async (context) => {
      const { room, members } = await openRoom(context, 5);
      const bySender = new Map(members.map((_, i) => [`c${i}`, series(room, `c${i}`, 100)]));
      for (const [i, sender] of members.entries())
        await sender.sendApart(cut(textFrames(bySender.get(`c${i}`) ?? []), 4_096), 0);
      await Promise.all(
        members.map(async (member) => {
          await expectMixed(member, bySender);
          await expectNothing(context, member, "each message once");
        }),
      );
    },
  }),
  required("rooms.large", "contract, endpoints (up to 65,536 bytes), promises (delivery)", {
    rule: "Messages of 64 KiB between small ones reach every member whole.",
    nextStep: sendOnce,
    run: async (context) => {
      const { room, members, first } = await openRoom(context, 3);
      const messages = [say(room, { seq: 1 }), sayOfBytes(room, MAX_MESSAGE_BYTES), say(room, { seq: 3 })];
      first.send(textFrames(messages));
      await expectDelivered(context, members, messages);
    },
  }),
  required("rooms.fragmented", "RFC 6455 5.4, contract, endpoints (fragmented messages are put together)", {
    rule: "A fragmented say is delivered like a whole one.",
    nextStep: "Reassemble the message before routing it.",
    run: async (context) => {
      const { room, members, first } = await openRoom(context, 2);
      const message = say(room, { text: "in pieces" });
      first.send(...fragments(cut(Buffer.from(message), 9)));
      await expectDelivered(context, members, [message]);
    },
  }),
  required("rooms.leavers", delivery, {
    rule: "Members that close or reset during a broadcast cost the others nothing.",
    nextStep: "Remove a closed connection from its rooms. A failed write must end that connection only.",
    run: async (context) => {
      const { room, members, first: sender } = await openRoom(context, 6);
      const stayers = members.slice(1, 3);
      const [closes, resets, resetsLast] = [pick(members, 3), pick(members, 4), pick(members, 5)];
      const messages = series(room, "stayer", 200);
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
      await expectDelivered(context, stayers, [...messages, last]);
    },
  }),
];
