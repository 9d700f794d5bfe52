import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectFolder } from "../../src/machine/installation.ts";

/** The folder that prometheus and promtool are in; or why there is none. */
export type Found = { readonly folder: string } | { readonly problem: string };

/** This system's own; else Debian's package, unpacked beside other toolchains: nothing is installed. */
export function findPrometheus(): Found {
  const own = Bun.which("prometheus");
  if (own !== null && Bun.which("promtool") !== null) return { folder: join(own, "..") };
  const kept = join(projectFolder, ".cache", "prometheus");
  const folder = join(kept, "usr", "bin");
  if (existsSync(folder)) return { folder };
  if (Bun.which("apt-get") === null || Bun.which("dpkg-deb") === null) {
    return { problem: "no prometheus, and no apt-get to get it" };
  }
  const work = mkdtempSync(join(tmpdir(), "prometheus-"));
  try {
    const script = "apt-get download prometheus && dpkg-deb --extract prometheus_*.deb unpacked";
    const { exitCode, stderr } = Bun.spawnSync(["sh", "-c", script], { cwd: work, stdin: "ignore" });
    if (exitCode !== 0) return { problem: `no prometheus: ${stderr.toString().trim().split("\n").at(-1)}` };
    mkdirSync(join(kept, ".."), { recursive: true });
    Bun.spawnSync(["mv", join(work, "unpacked"), kept]);
    return { folder };
  } finally {
    rmSync(work, { recursive: true });
  }
}

export interface RunningPrometheus {
  /** One for each place: which metrics it gets there, known from then on. */
  readonly watch: readonly ((metricsUrl: string) => void)[];
  /** What its HTTP API answers. @throws {Error} with what it said against it */
  ask(path: string, query: Readonly<Record<string, string>>): Promise<unknown>;
  stop(): Promise<void>;
}

/**
 * On loopback, at a port of the system's choice, with a folder of its own. It asks twice a second, at so many places: it
 * takes 5 s to take notice of a new one, so all are known from the start, and hand on what is asked there.
 */
export async function startPrometheus(programs: string, places: number): Promise<RunningPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), "prometheus-"));
  const relays = Array.from({ length: places }, startRelay);
  const targets = relays.map(({ host }) => host).join(", ");
  writeFileSync(
    join(folder, "prometheus.yml"),
    `global: { scrape_interval: 500ms, scrape_timeout: 500ms }
scrape_configs:
  - job_name: showdown
    static_configs: [{ targets: [${targets}] }]
`,
  );
  const child = Bun.spawn(
    [
      join(programs, "prometheus"),
      "--config.file=prometheus.yml",
      "--storage.tsdb.path=data",
      "--web.listen-address=127.0.0.1:0",
      "--scrape.discovery-reload-interval=100ms",
    ],
    { cwd: folder, stdin: "ignore", stdout: "ignore", stderr: "pipe" },
  );
  const stop = async () => {
    for (const relay of relays) await relay.stop();
    child.kill("SIGKILL");
    await child.exited;
    rmSync(folder, { recursive: true });
  };
  const { address, said } = await readAddress(child.stderr);
  if (address === null) {
    await stop();
    throw new Error(`prometheus did not get ready: ${said}`);
  }
  const ask = async (path: string, query: Readonly<Record<string, string>>) => {
    const response = await fetch(`http://${address}/api/v1/${path}?${new URLSearchParams(query)}`);
    const answer = (await response.json()) as { status: string; error?: string; data: unknown };
    if (answer.status !== "success") throw new Error(`${JSON.stringify(query)}: ${answer.error}`);
    return answer.data;
  };
  await Promise.all(relays.map(({ asked }) => asked));
  return { watch: relays.map(({ to }) => to), ask, stop };
}

/** Until it is known what it stands for, there is nothing. */
function startRelay() {
  let url: string | null = null;
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async () => {
      resolve();
      return url === null
        ? new Response(null, { status: 503 })
        : await fetch(url).catch(() => new Response(null, { status: 503 }));
    },
  });
  return {
    host: `127.0.0.1:${server.port}`,
    to: (metricsUrl: string) => {
      url = metricsUrl;
    },
    asked,
    stop: () => server.stop(true),
  };
}

/** Reads on to the end, since a full pipe would hold it up. */
async function readAddress(stderr: ReadableStream<Uint8Array>) {
  let said = "";
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const read = async () => {
    for await (const chunk of stderr) {
      said = `${said}${Buffer.from(chunk).toString()}`.slice(-20_000);
      const address = /msg="Listening on" address=(\S+)/.exec(said)?.[1];
      if (address !== undefined && said.includes("Server is ready")) resolve(address);
    }
    resolve(null);
  };
  void read();
  return { address: await promise, said };
}
