import { expect, test } from "bun:test";
import { join } from "node:path";
import { parseStats } from "./counters.ts";

const script = `
  const { readStats } = await import(${JSON.stringify(join(import.meta.dir, "counters.ts"))});
  const stats = { connections: 0, received: 1, sent: 2, dropped: 3 };
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.json(stats) });
  console.log(JSON.stringify(await readStats("127.0.0.1", server.port)));
  process.exit();`;

/** A network namespace of its own, whose loopback has one address as in some containers. */
const narrow = "ip link set lo up && ip addr del 127.0.0.1/8 dev lo && ip addr add 127.0.0.1/32 dev lo";
const isAllowed = Bun.spawnSync(["unshare", "-Urn", "sh", "-c", narrow], { stderr: "ignore" }).success;

test.if(isAllowed)("counters are read where loopback has one address only", () => {
  const command = `${narrow} && exec "$0" -e "$1"`;
  const { stdout } = Bun.spawnSync(["unshare", "-Urn", "sh", "-c", command, process.execPath, script]);
  expect(JSON.parse(stdout.toString())).toEqual({ connections: 0, received: 1, sent: 2, dropped: 3 });
});

test("counters are read past any proxy", () => {
  const { stdout } = Bun.spawnSync([process.execPath, "-e", script], {
    env: { ...process.env, HTTP_PROXY: "http://127.0.0.1:9", http_proxy: "http://127.0.0.1:9", NO_PROXY: "" },
  });
  expect(JSON.parse(stdout.toString())).toEqual({ connections: 0, received: 1, sent: 2, dropped: 3 });
});

test("major collections may be told, as a whole number", () => {
  const stats = { connections: 0, received: 1, sent: 2, dropped: 3 };
  const parse = (more: object) => parseStats(JSON.stringify({ ...stats, ...more }));
  expect(parse({})).toEqual(stats);
  expect(parse({ majorCollections: 4 })).toEqual({ ...stats, majorCollections: 4 });
  for (const count of [-1, 1.5, "4", null]) {
    expect(parse({ majorCollections: count })).toBeNull();
    expect(parse({ collectorMs: count })).toBeNull();
  }
});
