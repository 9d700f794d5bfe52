import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claimPort } from "../../src/process/port.ts";
import { untilListening } from "./debian-folder.ts";

export interface RabbitMq {
  readonly stompUrl: string;
  readonly mqttUrl: string;
  stop(): Promise<void>;
}

/**
 * RabbitMQ with its WebSocket plugins, in a folder of its own. Everything listens on loopback only, its port mapper
 * (epmd) too, which is started here so that none stays behind.
 *
 * @param unpacked where Debian's packages are
 */
export async function startRabbitMq(unpacked: string): Promise<RabbitMq> {
  const folder = mkdtempSync(join(tmpdir(), "rabbitmq-"));
  const [stompPort, mqttPort, mapperPort, nodePort] = [
    claimPort("127.0.0.1", 0),
    claimPort("127.0.0.1", 0),
    claimPort("127.0.0.1", 0),
    claimPort("127.0.0.1", 0),
  ];
  writeFileSync(join(folder, "enabled_plugins"), "[rabbitmq_web_stomp,rabbitmq_web_mqtt].\n");
  writeFileSync(
    join(folder, "rabbitmq.conf"),
    [
      ...["listeners.tcp", "stomp.listeners.tcp", "mqtt.listeners.tcp"].map((name) => `${name} = none`),
      "web_stomp.tcp.ip = 127.0.0.1",
      `web_stomp.tcp.port = ${stompPort}`,
      "web_mqtt.tcp.ip = 127.0.0.1",
      `web_mqtt.tcp.port = ${mqttPort}`,
      "",
    ].join("\n"),
  );
  const env = {
    PATH: `${join(unpacked, "bin")}:${process.env.PATH}`,
    // Erlang's cookie is put there.
    HOME: folder,
    ROOTDIR: join(unpacked, "usr", "lib", "erlang"),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    ERL_EPMD_PORT: String(mapperPort),
    RABBITMQ_DIST_PORT: String(nodePort),
    RABBITMQ_NODENAME: `showdown-${process.pid}@localhost`,
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq.conf"),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, "advanced.config"),
    RABBITMQ_GENERATED_CONFIG_DIR: join(folder, "generated"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "enabled_plugins"),
    RABBITMQ_MNESIA_BASE: join(folder, "data"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_LOGS: "-",
    RABBITMQ_PID_FILE: join(folder, "pid"),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
    // Erlang takes the shell's place, so that a signal reaches it.
    RUNNING_UNDER_SYSTEMD: "1",
  };
  const quiet = { env, stdin: "ignore", stdout: "ignore", stderr: "ignore" } as const;
  const mapper = Bun.spawn([join(unpacked, "bin", "epmd"), "-port", String(mapperPort)], quiet);
  const libraries = join(unpacked, "usr", "lib", "rabbitmq", "lib");
  const [version = ""] = readdirSync(libraries);
  const broker = Bun.spawn(["sh", join(libraries, version, "sbin", "rabbitmq-server")], quiet);
  const stop = async () => {
    broker.kill("SIGTERM");
    const timer = setTimeout(() => broker.kill("SIGKILL"), 15_000);
    await broker.exited;
    clearTimeout(timer);
    mapper.kill("SIGKILL");
    await mapper.exited;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilListening(mapperPort, mapper);
    await untilListening(stompPort, broker);
    await untilListening(mqttPort, broker);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    stompUrl: `ws://127.0.0.1:${stompPort}/ws`,
    mqttUrl: `ws://127.0.0.1:${mqttPort}/ws`,
    stop,
  };
}
