import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readCgroup } from "./cgroup.ts";

const top = mkdtempSync(join(tmpdir(), "showdown-cgroup-"));
afterAll(() => rmSync(top, { recursive: true }));

/** A process's view: its `/proc/self` files and the files of its groups. `@` stands for the folder. */
function machine(name: string, files: Record<string, string>): string {
  const folder = join(top, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text.replaceAll("@", folder));
  }
  return folder;
}

test("version 2: the tightest group above counts, and files in the cache don't count as used", () => {
  const folder = machine("nested", {
    "proc/cgroup": "0::/user.slice/app.scope/part\n",
    "proc/mountinfo": "30 24 0:26 / @/fs rw,nosuid - cgroup2 cgroup2 rw\n",
    "fs/user.slice/cpu.max": "400000 100000\n",
    "fs/user.slice/memory.max": "4000000000\n",
    "fs/user.slice/memory.current": "1000000\n",
    "fs/user.slice/app.scope/cpu.max": "150000 100000\n",
    "fs/user.slice/app.scope/memory.max": "2500000000\n",
    "fs/user.slice/app.scope/memory.current": "1500000000\n",
    "fs/user.slice/app.scope/memory.stat": "anon 5\ninactive_file 500000000\n",
    "fs/user.slice/app.scope/part/cpu.max": "300000 100000\n",
    "fs/user.slice/app.scope/part/memory.max": "9000000000\n",
    "fs/user.slice/app.scope/part/memory.current": "1000\n",
  });
  expect(readCgroup(`${folder}/proc`)).toEqual({
    cpu: { cpus: 1.5, path: `${folder}/fs/user.slice/app.scope/cpu.max` },
    memory: {
      limitBytes: 2.5e9,
      usedBytes: 1e9,
      path: `${folder}/fs/user.slice/app.scope/memory.max`,
    },
  });
});

test("a container sees only its own group, under another path than its process is said to be in", () => {
  const folder = machine("container", {
    "proc/cgroup": "0::/docker/abc\n",
    "proc/mountinfo": "30 24 0:26 /docker/abc @/fs ro - cgroup2 cgroup rw\n",
    "fs/cpu.max": "200000 100000\n",
    "fs/memory.max": "max\n",
  });
  expect(readCgroup(`${folder}/proc`)).toEqual({
    cpu: { cpus: 2, path: `${folder}/fs/cpu.max` },
    memory: null,
  });
});

test("beside trees of version 1, whose limits are not read, version 2 has its own", () => {
  const folder = machine("hybrid", {
    "proc/cgroup": "4:memory:/b\n0::/a\n",
    "proc/mountinfo":
      "31 24 0:28 / @/memory rw - cgroup cgroup rw,memory\n30 24 0:26 / @/fs rw - cgroup2 cgroup2 rw\n",
    "memory/b/memory.limit_in_bytes": "1000000000\n",
    "fs/a/cpu.max": "50000 100000\n",
  });
  expect(readCgroup(`${folder}/proc`)).toEqual({
    cpu: { cpus: 0.5, path: `${folder}/fs/a/cpu.max` },
    memory: null,
  });
});

test("without /proc there are no limits to be seen", () => {
  expect(readCgroup(join(top, "nowhere"))).toEqual({ cpu: null, memory: null });
});
