import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { isShowdownError } from "../../errors.ts";
import { projectFolder } from "../../machine/installation.ts";
import { actionCable } from "./actioncable.ts";
import type { Adapter, AdapterOptions } from "./adapter.ts";
import { graphql } from "./graphql.ts";
import { mqtt } from "./mqtt/mqtt.ts";
import { phoenix } from "./phoenix/phoenix.ts";
import { supabase } from "./phoenix/supabase.ts";
import { socketIo } from "./socketio.ts";
import { stomp } from "./stomp/stomp.ts";

const adapters = [socketIo, phoenix, supabase, graphql, mqtt, actionCable, stomp];

/** A session whose every word is written down: `>` says, then what it told the load. */
function converse(adapter: Adapter, options: AdapterOptions = {}, row: Record<string, string> = {}) {
  const log: string[] = [];
  const show = (said: string | Uint8Array) =>
    typeof said === "string" ? said : Buffer.from(said).toString("hex");
  const session = adapter.createSession(
    {
      index: 7,
      room: "r1",
      row,
      say: (said) => log.push(`> ${show(said)}`),
      ready: () => log.push("ready"),
      reply: (id) => log.push(`reply ${id}`),
      deliver: (said) => log.push(`deliver ${show(said)}`),
      refuse: (reason) => log.push(`refuse ${reason}`),
    },
    options,
  );
  session.opened();
  return {
    session,
    /** What came of these messages: text, or bytes in hexadecimal. */
    hear(...said: (string | Uint8Array)[]): string[] {
      for (const message of said) session.received(message);
      return log.splice(0);
    },
    publish(payload: string, id: number): string[] {
      session.publish(payload, id);
      return log.splice(0);
    },
  };
}
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

test("Socket.IO: the exchange of its documentation", () => {
  const talk = converse(
    socketIo,
    { join: "join", namespace: "/a", auth: '{"t":"{{token}}"}', delivery: "room" },
    { token: "x" },
  );
  expect(talk.hear('0{"sid":"s","upgrades":[],"pingInterval":25000}')).toEqual(['> 40/a,{"t":"x"}']);
  expect(talk.hear('40/a,{"sid":"s2"}')).toEqual(['> 42/a,0["join","r1"]']);
  expect(talk.hear("43/a,0[]", "2")).toEqual(["ready", "> 3"]);
  expect(talk.publish('say "hi"', 1)).toEqual(['> 42/a,1["message","say \\"hi\\""]']);
  expect(talk.hear('42/a,["message","m"]', '42/a,["other","m"]', '43/a,1["ok"]')).toEqual([
    "deliver m",
    "reply 1",
  ]);
  expect(
    talk.hear(
      '452-/a,["message",{"_placeholder":true,"num":1}]',
      hex("01"),
      hex("0203"),
      "461-/a,2[{}]",
      hex("00"),
    ),
  ).toEqual(["deliver 0203", "reply 2"]);
  expect(
    talk.hear("41/a,", '43/a,3[{"error":"full"}]', hex("00"), "1", "9", "4", "43/a,4", "42/a,{", ""),
  ).toEqual([
    "refuse the server disconnected the client from its namespace",
    "refuse full",
    "refuse a binary message that belongs to no packet",
    "refuse the server closed the session",
    "refuse no packet of Engine.IO: 9",
    "refuse no packet of Socket.IO: 4",
    "refuse a packet of Socket.IO without arguments: 43/a,4",
    "refuse a packet of Socket.IO without JSON: 42/a,{",
    "refuse no packet of Engine.IO: ",
  ]);
  const old = converse(socketIo);
  expect(old.hear('0{"sid":"s"}', "40").at(-1)).toContain("as before version 3");
  expect(converse(socketIo).hear('0{"sid":"s"}', '44{"message":"no"}')).toEqual(["> 40", "refuse no"]);
  expect(socketIo.explainRefusal?.(400, '{"code":0,"message":"Transport unknown"}')).toContain("polling");
  expect(socketIo.explainRefusal?.(502, "<html>")).toBeNull();
});

test("Phoenix: text and binary messages of version 2", () => {
  const talk = converse(phoenix, { reply: "yes", params: '{"n":"{{connection}}"}' });
  expect(talk.hear()).toEqual(['> ["j","j","room:r1","phx_join",{"n":"7"}]']);
  expect(talk.hear('["j","j","room:r1","phx_reply",{"status":"ok","response":{}}]')).toEqual(["ready"]);
  expect(talk.publish("x", 1)).toEqual(['> ["j","1","room:r1","shout",{"body":"x"}]']);
  const reply = Buffer.concat([Buffer.from([1, 1, 1, 7, 2]), Buffer.from("j1room:r1okrest")]);
  expect(
    talk.hear(
      reply,
      '[null,null,"room:r1","shout",{"body":"y"}]',
      '["j","2","room:r1","phx_reply",{"status":"error","response":{"reason":"no"}}]',
    ),
  ).toEqual(["reply 1", "deliver y", "refuse no"]);
  expect(
    talk.hear(
      '["j","j","room:r1","phx_error",{}]',
      "[1]",
      hex("01ff"),
      hex(""),
      '[null,null,"room:r1","shout",null]',
    ),
  ).toEqual([
    "refuse the channel has crashed (phx_error)",
    "refuse no message of Phoenix: [1]",
    "refuse no message of Phoenix: 2 bytes",
    "refuse no message of Phoenix: 0 bytes",
    "refuse an event without a message: null",
  ]);
  talk.session.heartbeat?.();
  expect(talk.hear()).toEqual(['> [null,"h","phoenix","heartbeat",{}]']);
});

test("Supabase: broadcasts as its own client writes and reads them", () => {
  const talk = converse(supabase, { token: "t" });
  expect(talk.hear()[0]).toContain('"broadcast":{"ack":true,"self":true}');
  const [said = ""] = talk.publish("x", 12);
  expect(said).toBe(
    `> ${Buffer.concat([Buffer.from([3, 1, 2, 11, 7, 0, 1]), Buffer.from('j12realtime:r1message{"body":"x"}')]).toString("hex")}`,
  );
  const sent = Buffer.concat([Buffer.from([4, 11, 7, 0, 1]), Buffer.from('realtime:r1message{"body":"y"}')]);
  expect(talk.hear(sent)).toEqual(["deliver y"]);
  expect(talk.hear(sent.subarray(0, 12))).toEqual(["refuse no message of Phoenix: 12 bytes"]);
});

test("GraphQL: both protocols", () => {
  const options = { subscription: "subscription { a }", message: "/a/0", variables: '{"m":{{message}}}' };
  const talk = converse(graphql, options);
  expect(talk.hear()).toEqual(['> {"type":"connection_init"}']);
  expect(talk.hear('{"type":"connection_ack"}')).toEqual([
    '> {"type":"subscribe","id":"s","payload":{"query":"subscription { a }","variables":{}}}',
    '> {"type":"ping"}',
  ]);
  expect(talk.hear('{"type":"pong"}', '{"type":"pong"}', '{"type":"ping"}')).toEqual([
    "ready",
    '> {"type":"pong"}',
  ]);
  expect(talk.publish("[1]", 1)).toEqual([
    '> {"type":"subscribe","id":"1","payload":{"query":"{ __typename }","variables":{"m":[1]}}}',
  ]);
  expect(
    talk.hear(
      '{"type":"next","id":"1","payload":{"data":{}}}',
      '{"type":"complete","id":"1"}',
      '{"type":"next","id":"s","payload":{"data":{"a":["x"]}}}',
      '{"type":"next","id":"2","payload":{"errors":[{"message":"no"}]}}',
      '{"type":"error","id":"3","payload":[{"message":"bad"}]}',
      '{"type":"complete","id":"s"}',
      '{"type":"next","id":"s","payload":{"data":{}}}',
      '{"type":"next"}',
      '{"type":7}',
      "nothing",
    ),
  ).toEqual([
    "reply 1",
    "deliver x",
    "refuse no",
    "refuse bad",
    "refuse the server ended the subscription",
    "refuse no message in the subscription's data: {}",
    "refuse a result of no operation: no reason",
    'refuse no message of graphql-transport-ws: {"type":7}',
    "refuse no message of graphql-transport-ws: nothing",
  ]);
  const legacy = converse(graphql.configure({ subprotocol: "graphql-ws" }));
  expect(legacy.hear('{"type":"connection_ack"}', '{"type":"ka"}').slice(1)).toEqual(["ready"]);
  expect(legacy.publish("", 1)[0]).toStartWith('> {"type":"start","id":"1"');
  expect(legacy.hear('{"type":"data","id":"1","payload":{"data":{}}}')).toEqual(["reply 1"]);
});

test("MQTT: packets of its specification, whole, together and in pieces", () => {
  const talk = converse(mqtt, { topic: "a/{{room}}", "client-id": "c", username: "u", password: "p" });
  expect(talk.hear()).toEqual([
    "> 10130004 4d515454 04c2003c 000163 000175 000170".replaceAll(/(?<!>) /g, ""),
  ]);
  expect(talk.hear(hex("20 02 00 00"))).toEqual(["> 8209ffff0004612f723101"]);
  expect(talk.hear(hex("90 03 ff ff 01"))).toEqual(["ready"]);
  expect(talk.publish("hi", 1)).toEqual(["> 320a0004612f723100016869"]);
  // A PUBACK and a message of QoS 1 in one, then the same a byte at a time; a retained one is of somebody before.
  const both = hex("40 02 00 01 32 0a 0004612f7231 0005 6869");
  expect(talk.hear(both)).toEqual(["reply 1", "> 40020005", "deliver 6869"]);
  talk.publish("hi", 65_535);
  expect(talk.hear(...[...both].map((byte) => Buffer.from([byte])))).toEqual([
    "reply 65535",
    "> 40020005",
    "deliver 6869",
  ]);
  expect(talk.hear(hex("31 08 0004612f7231 6869"), hex("d0 00"))).toEqual([]);
  expect(
    talk.hear("text", hex("40 02 00 09"), hex("34 05 0000 0001 00"), hex("40 01 00"), hex("10 00")),
  ).toEqual([
    "refuse text, where MQTT is binary: text",
    "refuse a PUBACK that was not awaited",
    "refuse malformed MQTT: a message of QoS 2, where at most 1 was asked for",
    "refuse malformed MQTT: packet type 4 of 1 bytes",
    "refuse malformed MQTT: packet type 1, which no server sends to such a client",
  ]);
  // Nobody knows where the next packet would begin.
  expect(talk.hear(hex("30 ff ff ff ff 01"), both)).toEqual([
    "refuse malformed MQTT: a length of more than four bytes",
  ]);
  expect(converse(mqtt).hear(hex("30 ff ff ff 7f"), both).slice(1)).toEqual([
    "refuse malformed MQTT: a packet of 268435455 bytes",
  ]);
  expect(converse(mqtt).hear(hex("20 02 00 05")).slice(1)).toEqual([
    "refuse connection refused: not authorized",
  ]);
});

test("MQTT 5: what the server allows is kept, and its reasons are told", () => {
  const talk = converse(mqtt, { version: "5", subscribe: "no" });
  // Receive Maximum 1 (0x21), and a User Property (0x26) between.
  expect(talk.hear(hex("20 0d 00 00 0a 26 0001 61 0001 62 21 0001"))[1]).toBe("ready");
  expect(talk.publish("a", 1)).toHaveLength(1);
  // The load says again what its connection could not take.
  expect(talk.publish("a", 1)).toHaveLength(1);
  expect([talk.publish("b", 2), talk.publish("c", 3)]).toEqual([[], []]);
  const [reply, next] = talk.hear(hex("40 02 00 01"));
  expect([reply, next?.slice(0, 4)]).toEqual(["reply 1", "> 32"]);
  expect(talk.hear(hex("40 0a 0002 87 06 1f 0003 6e6f21")).slice(0, 1)).toEqual([
    "refuse message refused: not authorized, no!",
  ]);
  expect(talk.hear(hex("e0 01 8b"), hex("e0 00"))).toEqual([
    "refuse disconnected: server shutting down",
    "refuse disconnected",
  ]);
  const modest = converse(mqtt, { version: "5" });
  expect(modest.hear(hex("20 05 00 00 02 24 00")).at(-1)).toContain("qos=0");
  expect(converse(mqtt, { version: "5" }).hear(hex("20 04 00 00 01 7e")).at(-1)).toContain("malformed");
});

test("Action Cable: the exchange of its protocol", () => {
  const talk = converse(actionCable);
  const identifier = JSON.stringify('{"channel":"ChatChannel","room":"r1"}');
  expect(talk.hear('{"type":"welcome"}')).toEqual([`> {"command":"subscribe","identifier":${identifier}}`]);
  expect(
    talk.hear('{"type":"ping","message":1}', `{"type":"confirm_subscription","identifier":${identifier}}`),
  ).toEqual(["ready"]);
  expect(talk.publish('"', 1)).toEqual([
    `> {"command":"message","identifier":${identifier},"data":${JSON.stringify('{"action":"speak","message":"\\""}')}}`,
  ]);
  expect(
    talk.hear(
      `{"identifier":${identifier},"message":{"message":"m"}}`,
      `{"identifier":"other","message":{"message":"m"}}`,
      '{"type":"reject_subscription"}',
      '{"type":"disconnect","reason":"unauthorized","reconnect":false}',
      '{"type":"confirm_subscription"}',
      '{"type":"welcome"}',
      "[]",
      hex("00"),
    ),
  ).toEqual([
    "deliver m",
    'refuse a broadcast without a message: {"message":"m"}',
    "refuse the channel rejected the subscription",
    "refuse disconnected: unauthorized",
    "refuse a subscription was confirmed that was not awaited",
    "refuse the server welcomed the connection twice",
    "refuse no message of Action Cable: []",
    "refuse no message of Action Cable: 1 bytes",
  ]);
});

test("STOMP: frames of its specification, escaped, with length, together and in pieces", () => {
  const talk = converse(stomp, { login: "u:v", passcode: "p", destination: "/topic/a:{{room}}" });
  expect(talk.hear()).toEqual([
    "> CONNECT\naccept-version:1.2\nhost:/\nheart-beat:20000,0\nlogin:u:v\npasscode:p\n\n\0",
  ]);
  expect(talk.hear("CONNECTED\nversion:1.2\nserver:x:\\q\n\n\0\n")).toEqual([
    "> SUBSCRIBE\nid:0\ndestination:/topic/a\\cr1\nack:auto\nreceipt:s\n\n\0",
  ]);
  expect(talk.hear("RECEIPT\nreceipt-id:s\n\n\0", "\n")).toEqual(["ready"]);
  expect(talk.publish("ü", 1)).toEqual([
    "> SEND\ndestination:/topic/a\\cr1\ncontent-type:text/plain\nreceipt:1\ncontent-length:2\n\nü\0",
  ]);
  const both = "RECEIPT\r\nreceipt-id:1\r\n\r\n\0\n\nMESSAGE\nsubscription:0\ncontent-length:3\n\na\0b\0";
  expect(talk.hear(both)).toEqual(["reply 1", "deliver a\0b"]);
  expect(talk.hear(...both)).toEqual(["reply 1", "deliver a\0b"]);
  expect(talk.hear(Buffer.from("MESSAGE\n\nhi\0"))).toEqual(["deliver 6869"]);
  expect(talk.hear("ERROR\nmessage:no\\cway\n\nlook\0", "RECEIPT\n\n\0", "WHAT\n\n\0")).toEqual([
    "refuse no:way: look",
    "refuse a receipt that was not awaited",
    "refuse malformed STOMP: a frame WHAT",
  ]);
  expect(talk.hear("MESSAGE\ncontent-length:999999999\n\n", both)).toEqual([
    "refuse malformed STOMP: content-length:999999999",
  ]);
  for (const broken of ["MESSAGE\nbad\n\n\0", "MESSAGE\na:\\q\n\n\0", "MESSAGE\ncontent-length:1\n\nab\0"]) {
    expect(converse(stomp).hear(broken).at(-1)).toStartWith("refuse malformed STOMP: ");
  }
});

test("whatever a server says, nothing is thrown, and nothing goes on for ever", () => {
  const words = fc.constantFrom(
    ...[
      "0",
      "40",
      "42",
      "45",
      "9-",
      "[",
      "]",
      '{"type":"',
      "next",
      '"',
      ",",
      "\0",
      "\n",
      ":",
      "MESSAGE",
      "ERROR",
    ],
    ...['{"_placeholder":true}', "phx_reply", "null", "1e9", "content-length:", "\\", "[".repeat(3000)],
  );
  const texts = fc
    .array(fc.oneof(words, fc.string({ maxLength: 5 })), { maxLength: 12 })
    .map((parts) => parts.join(""));
  const bytes = fc.uint8Array({ maxLength: 60 });
  fc.assert(
    fc.property(fc.array(fc.oneof(texts, bytes), { maxLength: 8 }), (messages) => {
      for (const adapter of adapters) {
        const talk = converse(adapter);
        talk.hear(...messages);
        talk.publish("x", 1);
        talk.hear(...messages);
      }
    }),
    { numRuns: 300 },
  );
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  for (const adapter of adapters)
    converse(adapter).hear(deep, `42["message",${deep}]`, `[null,null,"room:r1","shout",{"body":${deep}}]`);
});

test("a wrong option is told with its value, what was expected, and the nearest that there is", () => {
  const problem = (adapter: Adapter, options: AdapterOptions, row = {}) => {
    try {
      converse(adapter, options, row);
    } catch (error) {
      if (isShowdownError(error, "usage")) return error.message;
      throw error;
    }
    return null;
  };
  expect(problem(mqtt, { qoss: "1" })).toBe('adapter mqtt has no option "qoss", did you mean "qos"?');
  expect(problem(mqtt, { qos: "2" })).toBe("adapter mqtt: option qos=2: expected one of 0, 1");
  expect(problem(mqtt, { topic: "a/#" })).toContain("expected one topic");
  expect(problem(mqtt, { password: "x" })).toContain("only beside a username");
  expect(problem(phoenix, { reply: "constructor" })).toContain("expected yes or no");
  expect(problem(phoenix, { heartbeat: "0" })).toContain("whole number from 1 to 3600");
  expect(problem(phoenix, { payload: "{}" })).toContain("expected JSON with {{message}} once");
  expect(problem(socketIo, { auth: "{" })).toBe("adapter socketio: option auth={: expected JSON");
  expect(problem(socketIo, { auth: '"{{tokn}}"' }, { token: "1" })).toContain('did you mean "token"?');
  expect(problem(graphql, { message: "a" })).toContain("JSON pointer");
  for (const adapter of adapters) expect(problem(adapter, {})).toBeNull();
});

test("docs/adapters.md has each adapter with its options, as they are", () => {
  const page = readFileSync(join(projectFolder, "docs", "adapters.md"), "utf8");
  for (const { name, options } of adapters) {
    const section = page.split(/^## /m).find((part) => part.startsWith(`\`${name}\``));
    const rows = Object.entries(options).map(([option, { help, default: preset }]) => {
      const shown = preset === "" ? "" : `\`${preset}\``;
      return `| \`${option}\` | ${shown} | ${help} |`;
    });
    expect(section, name).toContain(`| option | default | |\n| --- | --- | --- |\n${rows.join("\n")}\n`);
  }
});
