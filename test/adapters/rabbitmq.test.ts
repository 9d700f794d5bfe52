import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mqtt } from "../../src/engine/adapters/mqtt/mqtt.ts";
import { stomp } from "../../src/engine/adapters/stomp/stomp.ts";
import { flawless, loadAdapter } from "../support/adapter-load.ts";
import { unpackDebian } from "../support/debian-folder.ts";
import { type RabbitMq, startRabbitMq } from "../support/rabbitmq.ts";

setDefaultTimeout(300_000);

const unpacked = unpackDebian("rabbitmq", "rabbitmq-server", "erlang-base");
if ("skipped" in unpacked) console.log(`RabbitMQ is left out: ${unpacked.skipped}`);
const withRabbitMq = test.skipIf("skipped" in unpacked);

let rabbitMq: RabbitMq | null = null;
beforeAll(async () => {
  if ("folder" in unpacked) rabbitMq = await startRabbitMq(unpacked.folder);
});
afterAll(async () => await rabbitMq?.stop());

const login = { login: "guest", passcode: "guest" };
const user = { username: "guest", password: "guest" };
const overStomp = (options: Record<string, string>, connections = 20) =>
  loadAdapter({ adapter: stomp, url: rabbitMq?.stompUrl ?? "", options, connections });
const overMqtt = (options: Record<string, string>, connections = 20) =>
  loadAdapter({ adapter: mqtt, url: rabbitMq?.mqttUrl ?? "", options, connections });

withRabbitMq("STOMP: every message has its receipt and reaches its topic once", async () => {
  expect(await overStomp(login)).toEqual(flawless(20, 1000, 5000));
});

withRabbitMq("STOMP: a refused login and a refused destination are told in the server's words", async () => {
  expect((await overStomp({ ...login, passcode: "x" }, 2)).refusals).toEqual({
    "Bad CONNECT: Access refused for user 'guest'": 2,
  });
  const [reason] = Object.keys((await overStomp({ ...login, destination: "/nothing/x" }, 2)).refusals);
  expect(reason).toStartWith("Unknown destination: '/nothing/x' is not a valid destination.");
});

withRabbitMq("MQTT: every message is acknowledged and reaches its topic once, in both versions", async () => {
  expect(await overMqtt(user)).toEqual(flawless(20, 1000, 5000));
  expect(await overMqtt({ ...user, version: "5", "no-local": "yes" })).toEqual(flawless(20, 1000, 4000));
});

withRabbitMq("MQTT: a wrong password is told, in both versions", async () => {
  for (const version of ["3.1.1", "5"]) {
    expect((await overMqtt({ ...user, version, password: "x" }, 2)).refusals).toEqual({
      "connection refused: bad user name or password": 2,
    });
  }
});
