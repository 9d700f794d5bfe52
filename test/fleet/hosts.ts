import { readdirSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { claimPort } from "../../src/process/port.ts";
import { fixtures, temporaryFolder } from "../showdown/showdown.ts";
import type { Stage } from "./fleet.ts";

const trial =
  "ip link add trial0 type bridge && ip link add trial1 type veth peer name trial2 && hostname trial";

/** Why hosts can't be made here; null where they can. */
export function findObstacle(): string | null {
  if (Bun.which("ip") === null) return "there is no ip (iproute2)";
  if (Bun.which("unshare") === null || Bun.which("setpriv") === null) return "there is no util-linux";
  const { exitCode, stderr } = Bun.spawnSync(["unshare", "--net", "--uts", "sh", "-c", trial]);
  return exitCode === 0 ? null : `no network namespace can be made: ${stderr.toString().trim()}`;
}

/** A machine of its own for whoever runs on it: name, network and, where it is wrong, clock. */
export interface Host {
  readonly name: string;
  readonly address: string;
  /** Goes before a command that is to run on it. Whatever becomes of the test, that ends with it. */
  readonly scene: readonly string[];
  /** Its cable to the others: pulled, nobody is told. */
  link(state: "up" | "down"): Promise<void>;
}

/**
 * Hosts on one switch. They are namespaces without a name, each held by a process that ends with this one: this machine's
 * own network is not touched, and the kernel clears away what nobody is in any more.
 */
export class Network {
  readonly #stage: Stage;
  readonly #switch: Namespace;
  #hosts = 0;

  private constructor(stage: Stage, own: Namespace) {
    this.#stage = stage;
    this.#switch = own;
  }

  static async create(stage: Stage): Promise<Network> {
    const own = await hold(stage);
    await own.run("ip link add switch type bridge && ip link set switch up");
    return new Network(stage, own);
  }

  /** @param clockAheadSeconds of CLOCK_MONOTONIC, by which everything here is measured */
  async host(name: string, clockAheadSeconds = 0): Promise<Host> {
    this.#hosts += 1;
    const address = `10.9.8.${this.#hosts}`;
    const port = `port${this.#hosts}`;
    const own = await hold(this.#stage);
    const { pid } = own;
    await this.#switch.run(
      `ip link add ${port} type veth peer name eth0 netns ${pid} && ip link set ${port} master switch up`,
    );
    await own.run(
      `hostname ${name} && ip link set lo up && ip addr add ${address}/24 dev eth0 && ip link set eth0 up`,
    );
    const ahead = ["unshare", "--time", "--monotonic", `${clockAheadSeconds}`];
    return {
      ...{ name, address },
      scene: [...own.scene, ...(clockAheadSeconds === 0 ? [] : ahead)],
      link: async (state) => await this.#switch.run(`ip link set ${port} ${state}`),
    };
  }
}

interface Namespace {
  readonly pid: number;
  readonly scene: readonly string[];
  /** @throws {Error} with what the shell said */
  run(script: string): Promise<void>;
}

/** Network and name of a host that there was not before. After everyone in it, its end waits until it is empty. */
async function hold(stage: Stage): Promise<Namespace> {
  // It reads until there is nobody to write: also where this process is killed.
  const command = ["unshare", "--net", "--uts", "sh", "-c", "echo ready; exec cat"];
  const holder = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const { pid } = holder;
  const said = await holder.stdout.getReader().read();
  if (said.value === undefined) throw new Error(`no namespace: ${command.join(" ")} has ended`);
  const network = readlinkSync(`/proc/${pid}/ns/net`);
  stage.onEnd(async () => {
    await holder.stdin.end();
    await holder.exited;
    const left = listInside(network);
    if (left.length > 0) throw new Error(`still on a host after its end: processes ${left.join(", ")}`);
  });
  const scene = [
    ...["setpriv", "--pdeathsig", "KILL"],
    ...["nsenter", "--target", `${pid}`, "--net", "--uts"],
  ];
  return {
    ...{ pid, scene },
    run: async (script) => {
      const shell = Bun.spawn([...scene, "sh", "-c", script], { stdin: "ignore", stderr: "pipe" });
      const problem = await new Response(shell.stderr).text();
      if ((await shell.exited) !== 0) throw new Error(`${script}: ${problem}`);
    },
  };
}

function listInside(network: string): string[] {
  return readdirSync("/proc").filter((entry) => {
    try {
      return /^\d+$/.test(entry) && readlinkSync(`/proc/${entry}/ns/net`) === network;
    } catch {
      return false;
    }
  });
}

/** The contract's chat on a host. Returns its URL. @param faults of the fixtures' server, by its environment */
export async function serveChat(
  stage: Stage,
  host: Pick<Host, "address" | "scene">,
  faults: Readonly<Record<string, string>> = {},
): Promise<string> {
  const port = claimPort("127.0.0.1", 0);
  const environment = Object.entries({ HOST: host.address, PORT: `${port}`, ...faults });
  const server = join(fixtures, "chat-server", "server.ts");
  const command = [
    "env",
    ...environment.map(([name, value]) => `${name}=${value}`),
    process.execPath,
    server,
  ];
  await serveOn(stage, host, command, /listening/);
  return `ws://${host.address}:${port}`;
}

/** A broker with JetStream on a host, that a token opens. Returns its URL. */
export async function serveBus(stage: Stage, host: Host, program: string): Promise<string> {
  const token = "t0ken";
  const folder = temporaryFolder();
  stage.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const options = ["-a", host.address, "-p", "4222", "--auth", token, "-js", "-sd", folder];
  await serveOn(stage, host, [program, ...options], /Server is ready/);
  return `nats://${token}@${host.address}:4222`;
}

/** Resolves once it has said so on stderr. */
async function serveOn(
  stage: Stage,
  { scene }: Pick<Host, "scene">,
  command: readonly string[],
  ready: RegExp,
): Promise<void> {
  const child = Bun.spawn([...scene, ...command], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  stage.onEnd(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  let said = "";
  for await (const part of child.stderr) {
    said += Buffer.from(part).toString();
    if (ready.test(said)) return;
  }
  throw new Error(`${command.join(" ")} has ended: ${said}`);
}
