import { isObject } from "../json.ts";
import { body, defineAdapter, flag, json, name, seconds, template } from "../options.ts";
import { writeUserBroadcast } from "./binary-message.ts";
import { ChannelSession, joinRef } from "./channel-session.ts";

const options = {
  topic: template("{{room}}", "the channel's name; `realtime:` is put before it"),
  token: template("", "`access_token` of the join; none where empty"),
  private: flag(false, "whether the channel is private"),
  self: flag(true, "whether the sender gets its own messages too"),
  ack: flag(true, "whether the server acknowledges each message"),
  config: json("{}", "more of the join's `config`, as JSON"),
  event: name("message", "the broadcast's event"),
  payload: body('{"body":"{{message}}"}', "its payload, as JSON"),
  heartbeat: seconds(25, 1, 3600, "between two heartbeats"),
};

/**
 * Broadcasts of Supabase Realtime, which are pushes in a Phoenix channel with an event of their own inside
 * (https://supabase.com/docs/guides/realtime/protocol). The URL's query has the `apikey`.
 */
export const supabase = defineAdapter("supabase", options, (values) => ({
  path: "/realtime/v1/websocket?vsn=2.0.0",
  answers: { reply: values.ack, delivery: values.self ? "room" : "others-in-room" },
  heartbeatSeconds: values.heartbeat,
  createSession(client) {
    const topic = `realtime:${values.topic(client)}`;
    const token = values.token(client);
    const config = {
      broadcast: { ack: values.ack, self: values.self },
      presence: { key: "", enabled: false },
      postgres_changes: [],
      private: values.private,
      ...(values.config?.(client) as object),
    };
    return new ChannelSession(client, {
      topic,
      params: JSON.stringify({ config, ...(token === "" ? {} : { access_token: token }) }),
      body: values.payload.createBody(client),
      writePush: (ref, payload) => writeUserBroadcast(joinRef, ref, topic, values.event, payload),
      readPayload: (event, payload) =>
        event === "broadcast" && isObject(payload) && payload.event === values.event
          ? (payload.payload ?? null)
          : undefined,
    });
  },
}));
