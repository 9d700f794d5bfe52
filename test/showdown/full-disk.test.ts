import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { longestMs, phaseOf, readResult, showdown, smokeRun, temporaryFolder } from "./showdown.ts";

setDefaultTimeout(longestMs);

/** A file system too small for a second phase's timeline; null, and why, where none can be mounted. */
function mountSmallDisk(bytes: number): { readonly folder: string } | { readonly reason: string } {
  const folder = temporaryFolder();
  const mount = Bun.which("mount");
  const mounted =
    mount === null
      ? null
      : Bun.spawnSync([mount, "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder], { stderr: "pipe" });
  if (mounted?.success) return { folder };
  rmSync(folder, { recursive: true });
  return { reason: mounted === null ? "there is no mount" : mounted.stderr.toString().trim() };
}

const disk = mountSmallDisk(40_960);
afterAll(() => {
  if (!("folder" in disk)) return;
  Bun.spawnSync(["umount", disk.folder]);
  rmSync(disk.folder, { recursive: true });
});

const skipped = "reason" in disk ? ` (skipped: no small disk can be mounted: ${disk.reason})` : "";

test.skipIf("reason" in disk)(
  `a full disk ends the run, and what was written before is whole${skipped}`,
  async () => {
    if (!("folder" in disk)) return;
    const results = join(disk.folder, "results");
    writeFileSync(join(disk.folder, "filler"), new Uint8Array(12_288));
    const ended = await showdown(...smokeRun, "--results", results, "clean", "--endurance-seconds", "3");
    expect(ended).toMatchObject({ exitCode: 8, stdout: "" });
    expect(ended.stderr).toMatch(/^error: .*result\.json could not be written: .*ENOSPC/m);
    expect(ended.stderr).toContain("hint: what was written before is still there");
    const result = readResult(results);
    expect(result?.status).toBe("running");
    const [round] = result?.rounds ?? [];
    if (round === undefined) throw new Error("not even the first phase was written");
    expect(phaseOf(round, "connect").status).toBe("ok");
    expect(round.phases.length).toBeLessThan(4);
  },
);
