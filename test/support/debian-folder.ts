import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../../src/machine/installation.ts";

const script = join(projectFolder, "src", "contenders", "unpack-debian.sh");
/** A release whose programs the script can run elsewhere. */
const release = "trixie";

/** Where the packages are unpacked, or why they aren't. */
type Unpacked = { readonly folder: string } | { readonly skipped: string };

/**
 * Packages of Debian with all that they depend on, unpacked once beside the toolchains and never installed: nothing of
 * them is started, or put where this system would find it.
 */
export function unpackDebian(name: string, ...packages: string[]): Unpacked {
  const folder = join(projectFolder, ".cache", "test-servers", name);
  if (existsSync(folder)) return { folder };
  if (Bun.which("apt-get") === null || Bun.which("dpkg-deb") === null) {
    return { skipped: "there is no apt to take Debian's packages from" };
  }
  mkdirSync(join(folder, ".."), { recursive: true });
  const { exitCode, stderr } = Bun.spawnSync(["sh", script, folder, release, ...packages], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    timeout: 240_000,
  });
  if (exitCode === 0) return { folder };
  return { skipped: `Debian's packages could not be had: ${stderr.toString().trim().split("\n").at(-1)}` };
}

/** Nothing tells of the moment, so it is tried for. */
export async function untilListening(port: number, server: Bun.Subprocess, seconds = 60): Promise<void> {
  for (let attempts = 0; attempts < seconds * 10; attempts += 1) {
    if (server.exitCode !== null) throw new Error(`the server has ended with ${server.exitCode}`);
    try {
      (await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } })).end();
      return;
    } catch {
      await Bun.sleep(100);
    }
  }
  throw new Error(`nothing listens on port ${port} after ${seconds} s`);
}
