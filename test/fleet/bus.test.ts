import { expect, setDefaultTimeout, test } from "bun:test";
import { type Bus, openBus } from "../../src/fleet/bus.ts";
import { readBusAddress } from "../../src/fleet/bus-address.ts";
import { say, subjects } from "../../src/fleet/messages.ts";
import { longestMs } from "../showdown/showdown.ts";
import { findServer, playScenes, until } from "./fleet.ts";

setDefaultTimeout(longestMs);

const found = findServer();
const onStage = playScenes(1);
if ("problem" in found) console.warn(`not tested: what a bus keeps: ${found.problem}`);
const program = "program" in found ? found.program : "";
const start = { run: "a run", epoch: "0123456789abcdef" };

// nats-server 2.9.10 dies of being asked for a message of a stream that it just makes.
test.skipIf("problem" in found)(
  "a broker whose disk is lost bears that all keep and look for results again at once",
  async () => {
    await onStage(async (stage) => {
      const broker = await stage.broker(program);
      const address = readBusAddress(broker.url, {}, "/");
      const buses = await Promise.all(Array.from({ length: 16 }, () => openBus(address, "test")));
      stage.onEnd(async () => void (await Promise.all(buses.map((bus) => bus.close()))));
      for (let losses = 0; losses < 10; losses += 1) {
        await broker.kill();
        await until("all to notice", () => buses.every(({ connectedMs }) => connectedMs === null));
        const asked = buses.map(async (bus, agent) => await keepAndFind(bus, agent));
        await broker.restart("lost");
        expect(await Promise.all(asked)).toEqual(buses.map((_bus, agent) => `of ${agent}`));
      }
    });
  },
);

/** Until it is there, by many questions on their way at once. @returns what the bus has then */
async function keepAndFind(bus: Bus, agent: number): Promise<string> {
  const subject = subjects.final(start, agent, 0);
  const message = say(start, { kind: "final", agent, part: 0, parts: 1, data: `of ${agent}` });
  await until("it to come back", () => bus.connectedMs !== null);
  const asked: Promise<unknown>[] = [];
  for (let tries = 0; tries < 40; tries += 1) {
    asked.push(bus.find(subject));
    if (tries === agent) asked.push(bus.keep(subject, message));
    await Bun.sleep(1);
  }
  await Promise.all(asked);
  await bus.keep(subject, message);
  const kept = await bus.find(subject);
  return kept?.kind === "final" ? kept.data : "nothing";
}
