import type { Adapter } from "./adapter.ts";

/** The chat of contenders/CONTRACT.md: a room is joined, and what is said in it reaches all its members, the sender too. */
export const chaosChat: Adapter = {
  name: "chaos-chat",
  path: "/ws",
  answers: { reply: false, delivery: "room" },
  createSession: (client) => {
    const { room } = client;
    return {
      opened: () => client.say(JSON.stringify({ type: "join", room })),
      received: (message) => {
        for (const line of String(message).split("\n")) {
          const { type, text, reason } = JSON.parse(line);
          if (type === "joined") client.ready();
          else if (type === "say") client.deliver(text);
          else if (type === "error") client.refuse(String(reason ?? line));
        }
      },
      publish: (text, id) =>
        client.say(
          JSON.stringify({ type: "say", room, from: String(client.index), seq: id, at: Date.now(), text }),
        ),
    };
  },
};
