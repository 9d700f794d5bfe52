import type { Adapter } from "./adapter.ts";

/** A server that sends each message back. The smallest adapter there can be. */
export const echo: Adapter = {
  name: "echo",
  answers: { reply: false, delivery: "sender" },
  createSession: (client) => ({
    opened: () => client.ready(),
    received: (message) => client.deliver(message),
    publish: (payload) => client.say(payload),
  }),
};
