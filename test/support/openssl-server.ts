import type { Certified } from "./certificates.ts";

export interface OpenSslServer {
  readonly port: number;
  /** A line of its console: a command, or text for its client. */
  say(line: string): void;
  /** All that it has printed. */
  heard(): string;
  stop(): Promise<void>;
}

/** OpenSSL's own server on loopback, which can be told what no runtime lets one do. */
export async function startOpenSslServer(
  { certFile, keyFile }: Certified,
  ...args: readonly string[]
): Promise<OpenSslServer> {
  const child = Bun.spawn(
    ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certFile, "-key", keyFile, ...args],
    { stdin: "pipe", stdout: "pipe", stderr: "ignore" },
  );
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let said = "";
  void (async () => {
    for await (const chunk of child.stdout) {
      said += Buffer.from(chunk).toString();
      const [, port] = /ACCEPT .*:(\d+)/.exec(said) ?? [];
      if (port !== undefined) resolve(Number(port));
    }
    reject(new Error(`openssl s_server ended: ${said}`));
  })();
  return {
    port: await promise,
    say: (line) => {
      child.stdin.write(`${line}\n`);
      child.stdin.flush();
    },
    heard: () => said,
    stop: async () => {
      child.kill();
      await child.exited;
    },
  };
}
