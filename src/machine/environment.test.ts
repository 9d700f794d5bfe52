import { expect, test } from "bun:test";
import { environmentSchema } from "../result/schema.ts";
import { describeEnvironment, readDescriptorLimit } from "./environment.ts";

test("the environment is what the result's schema asks for, with this machine's facts", async () => {
  const environment = await describeEnvironment();
  expect(environmentSchema.strict().parse(environment)).toEqual(environment);
  expect(environment.tool).toMatch(/^ws-showdown \d+\.\d+\.\d+/);
  expect(environment.bun).toBe(Bun.version);
  expect(environment.kernel).toBe(Bun.spawnSync(["uname", "-sr"]).stdout.toString().trim());
  if (environment.commit !== null) expect(environment.commit).toMatch(/^[0-9a-f]{40}(\+dirty)?$/);
});

test.if(process.platform === "linux")("kernel settings are those of /proc/sys", async () => {
  const { sysctls, portRange } = await describeEnvironment();
  const range = Bun.spawnSync(["cat", "/proc/sys/net/ipv4/ip_local_port_range"]).stdout.toString();
  expect(portRange).toEqual(range.trim().split(/\s+/).map(Number) as [number, number]);
  expect(sysctls["net.core.somaxconn"]).toMatch(/^\d+$/);
  expect(sysctls["net.ipv4.tcp_rmem"]).toMatch(/^\d+ \d+ \d+$/);
});

test("the descriptor limit is the one a shell started from here sees", () => {
  const shell = Bun.spawnSync(["sh", "-c", "ulimit -Sn; ulimit -Hn"]).stdout.toString().trim().split("\n");
  const [soft, hard] = shell.map((text) => (text === "unlimited" ? null : Number(text)));
  expect(readDescriptorLimit()).toEqual({ soft: soft ?? null, hard: hard ?? null });
});
