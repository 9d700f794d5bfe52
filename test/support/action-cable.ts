import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectFolder } from "../../src/machine/installation.ts";
import { claimPort } from "../../src/process/port.ts";
import { untilListening } from "./debian-folder.ts";

export interface ActionCable {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Rails' Action Cable on Puma (test/fixtures/actioncable/config.ru).
 *
 * @param unpacked where Debian's packages are; Ruby looks for its own files where they would be installed
 */
export async function startActionCable(unpacked: string): Promise<ActionCable> {
  const folder = mkdtempSync(join(tmpdir(), "actioncable-"));
  const usr = join(unpacked, "usr");
  const version = readdirSync(join(usr, "lib", "ruby")).find((name) => /^\d/.test(name)) ?? "";
  const machine = readdirSync(join(usr, "lib")).find((name) => name.endsWith("-linux-gnu")) ?? "";
  const ruby = [join(usr, "lib", "ruby"), join(usr, "lib", machine, "ruby")];
  const gems = join(usr, "share", "rubygems-integration");
  const port = claimPort("127.0.0.1", 0);
  const command = [join(unpacked, "bin", "ruby"), "-rrubygems", join(usr, "bin", "puma")];
  const server = Bun.spawn([...command, "-b", `tcp://127.0.0.1:${port}`, "-t", "4:4", "config.ru"], {
    cwd: join(projectFolder, "test", "fixtures", "actioncable"),
    env: {
      PATH: process.env.PATH ?? "",
      HOME: folder,
      RACK_ENV: "production",
      RUBYLIB: ruby
        .flatMap((path) => [
          join(path, "vendor_ruby", version),
          join(path, "vendor_ruby"),
          join(path, version),
        ])
        .join(":"),
      GEM_HOME: folder,
      GEM_PATH: [
        join(gems, "all"),
        join(gems, version),
        join(usr, "lib", machine, "rubygems-integration", version),
        ...ruby.map((path) => join(path, "gems", version)),
      ].join(":"),
    },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  const stop = async () => {
    server.kill("SIGKILL");
    await server.exited;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilListening(port, server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `ws://127.0.0.1:${port}/cable`, stop };
}
