import { expect, test } from "bun:test";
import { countSwitches, createProbe, findProbeSource } from "./probe.ts";

const isLinux = process.platform === "linux";

/** Runs a shell script in a process group of its own and kills it afterwards. */
async function withShell(script: string, work: (pid: number) => Promise<void>): Promise<void> {
  const shell = Bun.spawn(["sh", "-c", script], { detached: true, stdout: "ignore" });
  try {
    await work(shell.pid);
  } finally {
    process.kill(-shell.pid, "SIGKILL");
    await shell.exited;
  }
}

/** Uses 0.3 s of CPU time, measured by the program itself. */
const burn = `${process.execPath} -e 'while (process.cpuUsage().user + process.cpuUsage().system < 300000);'`;

test.if(isLinux)("the whole tree is counted: processes, memory, descriptors", async () => {
  await withShell("sh -c 'sleep 60; :' & sleep 60 & wait", async (pid) => {
    await Bun.sleep(300);
    const sample = await createProbe([pid]).sample();
    expect(sample).toMatchObject({ processes: 4 });
    const ps = Bun.spawnSync(["ps", "-o", "rss=", "-g", `${pid}`])
      .stdout.toString()
      .trim()
      .split(/\s+/);
    const rssBytes = ps.reduce((sum, kilobytes) => sum + Number(kilobytes) * 1024, 0);
    expect(Math.abs((sample.rssBytes ?? 0) - rssBytes)).toBeLessThan(rssBytes * 0.1);
    const limit = Bun.spawnSync(["sh", "-c", "ulimit -n"]).stdout.toString();
    expect(sample.descriptorLimit).toBe(Number(limit));
  });
});

test.if(isLinux)(
  "CPU time includes that of children that have ended",
  async () => {
    await withShell(`${burn}; ${burn} ; echo done > /dev/null; sleep 60`, async (pid) => {
      const probe = createProbe([pid]);
      let cpuMs = 0;
      const deadline = Date.now() + 8000;
      while (cpuMs < 550 && Date.now() < deadline) {
        await Bun.sleep(50);
        const sample = await probe.sample();
        expect(sample.cpuMs).toBeGreaterThanOrEqual(cpuMs);
        cpuMs = sample.cpuMs ?? Number.NaN;
      }
      await Bun.sleep(300);
      const end = (await probe.sample()).cpuMs;
      expect(end).toBeGreaterThanOrEqual(550);
      expect(end).toBeLessThan(1000);
    });
  },
  60_000,
);

test.if(isLinux)(
  "time that leaves the tree with an orphan is not taken back",
  async () => {
    // When its parent is killed, the busy process becomes init's and is gone from the tree.
    const script = `sh -c "$BUSY & wait" & sleep 1; kill -s KILL $!; sleep 60`.replace(
      "$BUSY",
      `${process.execPath} -e 'setInterval(() => { const end = Date.now() + 50; while (Date.now() < end); }, 1)'`,
    );
    await withShell(script, async (pid) => {
      const probe = createProbe([pid]);
      let last = 0;
      for (let i = 0; i < 35; i++) {
        await Bun.sleep(40);
        const { cpuMs } = await probe.sample();
        expect(cpuMs).toBeGreaterThanOrEqual(last);
        last = cpuMs ?? Number.NaN;
      }
      expect(last).toBeGreaterThan(0);
      expect((await probe.sample()).processes).toBe(2);
    });
  },
  60_000,
);

test.if(isLinux)("open descriptors are those of the process that holds most", async () => {
  const script = `
    const { openSync } = require("node:fs");
    for (let i = 0; i < 300; i++) openSync("/dev/null");
    console.log("open");
    setInterval(() => {}, 1000);`;
  const holder = Bun.spawn(["sh", "-c", `"$1" -e "$2"; :`, "sh", process.execPath, script], {
    stdout: "pipe",
    detached: true,
  });
  await holder.stdout.getReader().read();
  const { openDescriptors, processes } = await createProbe([holder.pid]).sample();
  process.kill(-holder.pid, "SIGKILL");
  expect(processes).toBe(2);
  expect(openDescriptors).toBeGreaterThanOrEqual(303);
  expect(openDescriptors).toBeLessThan(330);
});

test.if(isLinux)(
  "user and system time are told apart, and are the whole",
  async () => {
    /** What the probe says, and what the process says of itself: how much of each a busy machine decides. */
    const measureShare = async (work: string): Promise<number> => {
      const program = `const { statSync } = require("node:fs"); let sum = 0;
      const used = () => process.cpuUsage().user + process.cpuUsage().system;
      while (used() < 600000) ${work}
      console.log(JSON.stringify(process.cpuUsage())); Bun.sleepSync(60_000);`;
      const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe" });
      try {
        const { value } = await child.stdout.getReader().read();
        const { user, system } = JSON.parse(new TextDecoder().decode(value));
        const { cpuMs, userMs, systemMs } = await createProbe([child.pid]).sample();
        const parts = (userMs ?? 0) + (systemMs ?? 0);
        expect(Math.abs(parts - (cpuMs ?? 0))).toBeLessThan(60);
        expect(Math.abs((userMs ?? 0) - user / 1000)).toBeLessThan(60);
        expect(Math.abs((systemMs ?? 0) - system / 1000)).toBeLessThan(60);
        return (systemMs ?? 0) / parts;
      } finally {
        child.kill("SIGKILL");
        await child.exited;
      }
    };
    const counting = await measureShare("for (let i = 0; i < 1e6; i++) sum += i % 7;");
    expect(await measureShare('for (let i = 0; i < 1000; i++) statSync("/proc/self/maps");')).toBeGreaterThan(
      counting + 0.1,
    );
  },
  60_000,
);

test.if(isLinux)("one that sleeps often switches of its own will, as often as it sleeps", async () => {
  const naps = "for (let nap = 0; nap < 200; nap++) Bun.sleepSync(1); console.log(1); Bun.sleepSync(60_000);";
  const child = Bun.spawn(
    [process.execPath, "-e", `process.stdin.once("data", () => { ${naps} }); console.log(0);`],
    { stdin: "pipe", stdout: "pipe" },
  );
  try {
    const reader = child.stdout.getReader();
    await reader.read();
    const probe = createProbe([child.pid]);
    const before = probe.switches();
    child.stdin.write("go");
    child.stdin.flush();
    await reader.read();
    const after = probe.switches();
    if (before === null || after === null) throw new Error("no switches on Linux");
    const { voluntary } = countSwitches(before, after);
    expect(voluntary).toBeGreaterThanOrEqual(200);
    expect(voluntary).toBeLessThan(400);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
});

test("switches of a thread that began in between all count, those of one that ended don't", () => {
  const before = new Map([
    [1, { voluntary: 10, involuntary: 1 }],
    [2, { voluntary: 500, involuntary: 50 }],
  ]);
  const after = new Map([
    [1, { voluntary: 12, involuntary: 4 }],
    [3, { voluntary: 7, involuntary: 0 }],
  ]);
  expect(countSwitches(before, after)).toEqual({ voluntary: 9, involuntary: 3 });
});

test("ps tells the same of a tree as /proc, without descriptors", async () => {
  await withShell(`${burn} & sleep 60 & wait; sleep 60`, async (pid) => {
    await Bun.sleep(700);
    const sample = await createProbe([pid], "ps").sample();
    expect(sample).toMatchObject({ openDescriptors: null, userMs: null });
    expect(sample.processes).toBeGreaterThanOrEqual(2);
    expect(sample.rssBytes).toBeGreaterThan(500_000);
    if (!isLinux) return;
    const other = await createProbe([pid], "proc").sample();
    expect(sample.processes).toBe(other.processes);
  });
});

test("a process that is gone is a tree of none", async () => {
  const child = Bun.spawn(["true"]);
  await child.exited;
  expect(await createProbe([child.pid]).sample()).toMatchObject({ processes: 0, rssBytes: 0 });
});

test("without /proc and ps every figure is null", async () => {
  const sample = await createProbe([process.pid], "none").sample();
  expect(sample).toMatchObject({ cpuMs: null, rssBytes: null, processes: null, openDescriptors: null });
});

test("this machine has a source", () => {
  expect(findProbeSource()).toBe(isLinux ? "proc" : "ps");
});
