import { body, defineAdapter, delivery, flag, json, name, seconds, template, text } from "../options.ts";
import { ChannelSession, joinRef } from "./channel-session.ts";

const options = {
  topic: template("room:{{room}}", "the topic to join"),
  params: json("{}", "what is said in `phx_join`, as JSON"),
  event: name("shout", "event that carries a message"),
  payload: body('{"body":"{{message}}"}', "its payload, as JSON"),
  reply: flag(false, "whether the channel replies to each message"),
  delivery: delivery("room"),
  "deliver-event": text("", "event that carries it to others; as `event` where empty"),
  heartbeat: seconds(30, 1, 3600, "between two heartbeats"),
};

/**
 * Phoenix Channels, version 2 of their serializer: `[join_ref, ref, topic, event, payload]`
 * (https://hexdocs.pm/phoenix/writing_a_channels_client.html). The defaults suit what `mix phx.gen.channel` makes.
 */
export const phoenix = defineAdapter("phoenix", options, (values) => ({
  path: "/socket/websocket?vsn=2.0.0",
  answers: { reply: values.reply, delivery: values.delivery },
  heartbeatSeconds: values.heartbeat,
  createSession(client) {
    const topic = values.topic(client);
    const start = `${JSON.stringify(topic)},${JSON.stringify(values.event)},`;
    const deliverEvent = values.delivery === "nobody" ? null : values["deliver-event"] || values.event;
    return new ChannelSession(client, {
      topic,
      params: JSON.stringify(values.params?.(client) ?? {}),
      body: values.payload.createBody(client),
      writePush: (ref, payload) => `["${joinRef}","${ref}",${start}${payload}]`,
      readPayload: (event, payload) => (event === deliverEvent ? (payload ?? null) : undefined),
    });
  },
}));
