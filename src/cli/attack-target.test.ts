import { expect, test } from "bun:test";
import { isShowdownError } from "../errors.ts";
import type { AttackSettings } from "../plan/attack/parameters.ts";
import { resolveAttack } from "../plan/attack/plan.ts";
import { confirmLoad } from "./attack-target.ts";
import type { Host } from "./host.ts";

const far = ["192.0.2.7"];

function planOf(settings: AttackSettings, addresses: readonly string[] = far) {
  const [address = ""] = addresses;
  const place = { url: "ws://chat.test/", host: "chat.test", port: 80, path: "/", address, addresses };
  return resolveAttack({
    target: { ...place, tls: null, subprotocols: [], headers: [] },
    ...{ settings, messageFile: null, data: null, adapter: null, sourceAddresses: [] },
    ...{ cpus: 2, descriptorLimit: null },
  });
}

/** What became of it: null where the load may begin. */
async function refusalOf(
  plan: ReturnType<typeof planOf>,
  ask?: Host["ask"],
  yes?: true,
): Promise<string | null> {
  const host = (ask === undefined ? {} : { ask }) as Host;
  const error = await confirmLoad(plan, yes === undefined ? {} : { yes }, host).catch(
    (thrown: unknown) => thrown,
  );
  if (error === undefined) return null;
  if (isShowdownError(error, "usage")) return error.message;
  throw error;
}

test.each<[AttackSettings, string | null]>([
  [{ connections: 1000, ratePerSecond: 10_000 }, null],
  [{ connections: 1001 }, "1,001 connections and 1,000 messages per second"],
  [{ ratePerSecond: 10_001 }, "50 connections and 10,001 messages per second"],
  [{ stages: [{ seconds: 1, value: 20_000 }] }, "50 connections and 20,000 messages per second"],
  [{ inFlight: 20 }, null],
  [{ inFlight: 21 }, "50 connections and 1,050 messages in flight"],
])("%j to somebody else's machine: %p", async (settings, load) => {
  const place = "to ws://chat.test/ (192.0.2.7:80), which is no machine of this network: not without --yes";
  expect(await refusalOf(planOf(settings))).toBe(load === null ? null : `${load} ${place}`);
});

test("one who is asked may say yes; --yes says it beforehand; near machines are nobody else's", async () => {
  const heavy = { connections: 5000 };
  const asked: string[] = [];
  const answer = (says: boolean) => async (question: string) => {
    asked.push(question);
    return says;
  };
  expect(await refusalOf(planOf(heavy), answer(true))).toBeNull();
  expect(await refusalOf(planOf(heavy), answer(false))).toContain("not without --yes");
  expect(asked[0]).toMatch(/^5,000 connections and .*\. Go on\?$/);
  expect(await refusalOf(planOf(heavy), undefined, true)).toBeNull();
  expect(await refusalOf(planOf(heavy, ["192.168.1.4", "fd00::4"]))).toBeNull();
  // Whichever of them answers may be the one.
  expect(await refusalOf(planOf(heavy, ["192.168.1.4", "192.0.2.7"]))).toContain("not without --yes");
});
