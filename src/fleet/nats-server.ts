import { existsSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ShowdownError } from "../errors.ts";
import { cacheFolder } from "../machine/installation.ts";
import { createMark, markName, type Reaper } from "../process/reaper.ts";

/** Where Debian's package may be unpacked. */
export const natsFolder = join(cacheFolder, "nats-server");
const readyMs = 10_000;
const pollMs = 20;

/**
 * The program of a NATS server of this machine: what `SHOWDOWN_NATS_SERVER` names, else that in PATH, else Debian's
 * package as it is unpacked in the cache.
 *
 * @throws {ShowdownError} `fleet` naming all ways to have one
 */
export function findNatsServer(env: Readonly<Record<string, string | undefined>>): string {
  const { SHOWDOWN_NATS_SERVER: named } = env;
  const places = ["/usr/sbin", join(natsFolder, "usr", "sbin"), join(natsFolder, "usr", "bin")];
  const found =
    named === undefined || named === ""
      ? (Bun.which("nats-server") ?? places.map((place) => join(place, "nats-server")).find(existsSync))
      : [named].find(existsSync);
  if (found !== undefined && found !== null) return found;
  throw new ShowdownError(
    "fleet",
    named === undefined || named === ""
      ? "--fleet local needs a nats-server, and there is none in PATH"
      : `SHOWDOWN_NATS_SERVER=${named}: there is no such program`,
    {
      hint: `get one from https://github.com/nats-io/nats-server/releases and give SHOWDOWN_NATS_SERVER=/path/to/nats-server; on Debian without installing it: apt-get download nats-server && dpkg-deb --extract nats-server_*.deb ${natsFolder}`,
    },
  );
}

export interface NatsServer {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  stop(): Promise<void>;
}

/**
 * Starts one on a loopback port that is free.
 *
 * @param folder of its own, for what it keeps
 * @throws {ShowdownError} `fleet`
 */
export async function startNatsServer(
  program: string,
  { folder, token, reaper }: { readonly folder: string; readonly token: string; readonly reaper: Reaper },
): Promise<NatsServer> {
  const config = join(folder, "nats.conf");
  await writeFile(
    config,
    [
      'host: "127.0.0.1"',
      "port: -1",
      `authorization { token: ${JSON.stringify(token)} }`,
      `jetstream { store_dir: ${JSON.stringify(join(folder, "jetstream"))} }`,
      `ports_file_dir: ${JSON.stringify(folder)}`,
      "",
    ].join("\n"),
    { mode: 0o600 },
  );
  const child = Bun.spawn([program, "--config", config], {
    env: { ...process.env, [markName]: createMark(reaper) },
    stdin: "ignore",
    stdout: "ignore",
    stderr: Bun.file(join(folder, "nats.log")),
    detached: true,
  });
  reaper.hold(child.pid);
  const stop = async () => {
    child.kill("SIGKILL");
    await child.exited;
    reaper.release(child.pid);
  };
  const untilMs = performance.now() + readyMs;
  for (;;) {
    const host = readHost(folder);
    if (host !== null) return { host, stop };
    if (child.exitCode !== null || performance.now() > untilMs) break;
    await Bun.sleep(pollMs);
  }
  await stop();
  const said = readFileSync(join(folder, "nats.log"), "utf8").trim().split("\n").at(-1) ?? "";
  throw new ShowdownError("fleet", `${program} did not become ready within ${readyMs / 1000} s: ${said}`, {
    hint: "it has to be a nats-server of version 2.9 or newer",
  });
}

/** As it tells in a file once it listens. */
function readHost(folder: string): string | null {
  const name = readdirSync(folder).find((one) => one.endsWith(".ports"));
  if (name === undefined) return null;
  return /"nats:\/\/([^"]+)"/.exec(readFileSync(join(folder, name), "utf8"))?.[1] ?? null;
}
