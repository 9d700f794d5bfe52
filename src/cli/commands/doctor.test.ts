import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { exitCodes } from "../../errors.ts";

setDefaultTimeout(30_000);
const main = join(import.meta.dir, "..", "main.ts");
const folder = mkdtempSync(join(tmpdir(), "showdown-doctor-"));
afterAll(() => rmSync(folder, { recursive: true }));

function run(command: readonly string[], env: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    stdin: "ignore",
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  return { exitCode, out: `${stdout}`, err: `${stderr}` };
}
const doctor = (...args: readonly string[]) => run([process.execPath, main, "doctor", ...args]);

const outputSchema = z.object({
  plan: z.object({ preset: z.string(), connections: z.number() }),
  capacity: z.object({ connections: z.number(), stoppedBy: z.string(), text: z.string() }).nullable(),
  fits: z.boolean(),
  findings: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      current: z.string().min(1),
      needed: z.string().min(1),
      verdict: z.enum(["ok", "tight", "stops", "unknown"]),
      explanation: z.string().min(1),
      commands: z.object({ linux: z.array(z.string()).optional(), macos: z.array(z.string()).optional() }),
      survivesReboot: z.boolean().nullable(),
      needsPassword: z.boolean(),
    }),
  ),
  changes: z.null(),
});

test("--json is one line on stdout with every finding", () => {
  const { exitCode, out } = doctor("--preset", "article", "--json");
  expect(exitCode).toBe(0);
  expect(out.trim().split("\n")).toHaveLength(1);
  const { plan, findings, fits, capacity } = outputSchema.parse(JSON.parse(out));
  expect(plan).toMatchObject({ preset: "article", connections: 25_000 });
  const ids = findings.map(({ id }) => id);
  for (const id of [
    "server-descriptors",
    "generator-descriptors",
    "port-range",
    "memory",
    "backlog",
    "cores",
  ]) {
    expect(ids).toContain(id);
  }
  expect(ids.some((id) => id.startsWith("noise"))).toBe(true);
  expect(fits).toBe(!findings.some(({ verdict }) => verdict === "stops"));
  if (capacity !== null) expect(capacity.connections >= plan.connections).toBe(fits);
});

test("the text says what stops first, all findings, and the commands for those that are bad", () => {
  // Under a limit of its own, so that the answer is known on every machine.
  const { exitCode, out } = run([
    "sh",
    "-c",
    `ulimit -n 3000 && exec "${process.execPath}" "${main}" doctor --preset article --no-pin`,
  ]);
  expect(exitCode).toBe(0);
  const text = out.replaceAll(/\s+/g, " ");
  expect(text).toContain("Plan article: 25,000 connections");
  expect(text).toContain(
    "This machine can hold 2,936 connections to a single-process server: the server's descriptor limit, 3,000, stops it first.",
  );
  expect(text).toContain("--connections 2936 would fit");
  for (const title of ["Server's descriptors", "Local ports", "Accept queue", "Memory", "Time lost"]) {
    expect(out).toMatch(new RegExp(`^  ${title} .*(ok|tight|stops|unknown)`, "m"));
  }
  expect(out).toContain("    ulimit -n 100000\n");
  expect(text).toContain("Lost at the next start of the machine. To keep it:");
});

test("--apply and --undo exclude each other, and a contender has to exist", () => {
  expect(doctor("--apply", "--undo")).toMatchObject({ exitCode: exitCodes.usage.code });
  expect(doctor("no-such-contender")).toMatchObject({ exitCode: exitCodes.unknownContender.code });
});

/** Calls the command within another process, with a file of its own for the old values. */
function inProcess(undoFile: string, calls: readonly (readonly string[])[]): string {
  const path = (...parts: readonly string[]) => JSON.stringify(join(import.meta.dir, ...parts));
  return `
    import { readFileSync } from "node:fs";
    import { doctor } from ${path("doctor.ts")};
    import { createHost } from ${path("..", "host.ts")};
    import { parseOptions } from ${path("..", "options.ts")};
    const read = (file) => { try { return JSON.parse(readFileSync(file, "utf8")); } catch { return null; } };
    const queues = () => ["core/somaxconn", "ipv4/tcp_max_syn_backlog"].map((name) => read("/proc/sys/net/" + name));
    const told = [{ queues: queues() }];
    for (const args of ${JSON.stringify(calls)}) {
      const said = [];
      const { ask, ...host } = { ...createHost(), out: (text) => said.push(text), err: (text) => said.push(text) };
      const exitCode = await doctor(parseOptions("doctor", args), host, ${JSON.stringify(undoFile)});
      told.push({ exitCode, text: said.join(""), queues: queues(), undo: read(${JSON.stringify(undoFile)}) });
    }
    process.stdout.write(JSON.stringify(told));
  `;
}

// More connections at once than any machine's queue is set to.
const apply = ["--preset", "smoke", "--connect-batch", "10000", "--apply"];

// A network namespace has kernel settings of its own, so the machine's stay as they are.
const ownNamespace = ["unshare", "-rn"];
const canUnshare = run([...ownNamespace, "test", "-w", "/proc/sys/net/core/somaxconn"]).exitCode === 0;
test.if(canUnshare)("settings are applied for real, and put back", () => {
  const undoFile = join(folder, "undo.json");
  const { exitCode, out, err } = run([
    ...ownNamespace,
    process.execPath,
    "-e",
    inProcess(undoFile, [apply, ["--undo"], ["--undo"]]),
  ]);
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
  const [{ queues: before }, applied, undone, again] = JSON.parse(out);
  expect(before).not.toEqual([16_384, 16_384]);
  expect(applied).toMatchObject({ exitCode: 0, queues: [16_384, 16_384] });
  expect(applied.text).toContain(`net.core.somaxconn: ${before[0]} → 16384`);
  expect(applied.undo.map((entry: { before: string }) => Number(entry.before))).toEqual(before);
  expect(undone).toMatchObject({ exitCode: 0, queues: before, undo: null });
  expect(again.text).toContain("nothing to undo");
});

const asNobody = ["unshare", "-n", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
const canBeNobody = run([...asNobody, process.execPath, "--version"]).exitCode === 0;
test.if(canBeNobody)("what is refused is told, exits so, and leaves nothing to undo", () => {
  const own = join(folder, "nobody");
  mkdirSync(own);
  chmodSync(folder, 0o755);
  chmodSync(own, 0o777);
  const { out, err } = run([...asNobody, process.execPath, "-e", inProcess(join(own, "undo.json"), [apply])]);
  expect(err).toBe("");
  const [{ queues: before }, applied] = JSON.parse(out);
  expect(applied).toMatchObject({ exitCode: exitCodes.writing.code, queues: before, undo: null });
  expect(applied.text).toContain("net.core.somaxconn: refused, EACCES");
});
