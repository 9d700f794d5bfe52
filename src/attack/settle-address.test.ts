import { expect, test } from "bun:test";
import { isShowdownError } from "../errors.ts";
import { resolveAttack } from "../plan/attack/plan.ts";
import { checkSources, settleAddress } from "./settle-address.ts";
import { describeTarget, readTarget } from "./target.ts";

const folder = import.meta.dir;

/** Of a server at this port of loopback, by its name. */
async function askFor(port: number, addresses: readonly string[], sourceAddresses: readonly string[] = []) {
  const { target, access } = await readTarget(`ws://localhost:${port}/`, {}, {}, folder);
  const [address = ""] = addresses;
  const plan = resolveAttack({
    target: { ...target, address, addresses },
    ...{ settings: {}, messageFile: null, data: null, adapter: null, sourceAddresses },
    ...{ cpus: 2, descriptorLimit: null },
  });
  return { plan, access };
}

/** Counts who comes. */
function listen() {
  let count = 0;
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: () => {
        count += 1;
      },
      data() {},
    },
  });
  return { port: listener.port, count: () => count, [Symbol.dispose]: () => listener.stop(true) };
}

test("until all is settled nothing is opened", async () => {
  using server = listen();
  const { plan } = await askFor(server.port, ["127.0.0.1", "127.0.0.2"]);
  await checkSources(plan);
  await Bun.sleep(20);
  expect(server.count()).toBe(0);
  expect(describeTarget(plan.target)).toBe(
    `ws://localhost:${server.port}/ (127.0.0.1:${server.port} or 127.0.0.2:${server.port})`,
  );
});

test("of several addresses the first that accepts a connection is taken, for the plan and for all connections", async () => {
  using server = listen();
  const asked = await askFor(server.port, ["127.0.0.2", "127.0.0.1", "127.0.0.3"]);
  const { plan, access } = await settleAddress(asked.plan, asked.access);
  expect([plan.target.address, access.host]).toEqual(["127.0.0.1", "127.0.0.1"]);
  expect(access.headers).toEqual({ Host: `localhost:${server.port}` });
});

test("where none accepts one, the first says why", async () => {
  const { plan, access } = await askFor(9, ["127.0.0.2", "127.0.0.1"]);
  expect((await settleAddress(plan, access)).plan.target.address).toBe("127.0.0.2");
});

test("one address alone is not tried", async () => {
  using server = listen();
  const { plan, access } = await askFor(server.port, ["127.0.0.1"]);
  await settleAddress(plan, access);
  expect(server.count()).toBe(0);
});

test("source addresses choose the kind", async () => {
  using server = listen();
  const { plan, access } = await askFor(server.port, ["::1", "127.0.0.1"], ["127.0.0.1"]);
  await checkSources(plan);
  expect((await settleAddress(plan, access)).access.host).toBe("127.0.0.1");
});

test.each([
  [["127.0.0.1"], "203.0.113.1", "--source-address 203.0.113.1: expected an address of this machine"],
  [["127.0.0.1"], "eth0", "--source-address eth0: expected an address of this machine"],
  [["::1", "2001:db8::1"], "127.0.0.1", "--source-address 127.0.0.1: the server is at ::1, 2001:db8::1"],
])("to %p from %s is refused", async (addresses, source, message) => {
  const { plan } = await askFor(9, addresses, [source]);
  const error = await checkSources(plan).catch((thrown: unknown) => thrown);
  expect(isShowdownError(error, "usage")).toBe(true);
  expect((error as Error).message).toBe(message);
});
