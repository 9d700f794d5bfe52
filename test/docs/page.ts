import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Ended, runToEnd } from "../support/run-to-end.ts";

const root = join(import.meta.dir, "..", "..");
const program = `${process.execPath} ${join(root, "src", "cli", "main.ts")}`;

/** A page of the documentation, and what stands in it. */
export class Page {
  readonly text: string;

  constructor(name: string) {
    this.text = readFileSync(join(root, "docs", name), "utf8");
  }

  /** All code of that language, in order. */
  blocks(language: string): string[] {
    const fences = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms");
    return [...this.text.matchAll(fences)].map(([, code = ""]) => code);
  }
}

/** The page's own server. */
export interface PageServer {
  readonly port: string;
  stop(): Promise<void>;
}

/** @param code of a server that listens on port 0 and prints which one it got */
export async function startServer(code: string, folder: string): Promise<PageServer> {
  const file = join(folder, "server.ts");
  writeFileSync(file, code);
  const child = Bun.spawn([process.execPath, file], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const { value } = await child.stdout.getReader().read();
  return {
    port: new TextDecoder().decode(value).trim(),
    stop: async () => {
      child.kill();
      await child.exited;
    },
  };
}

/** A command as it stands on a page, by this checkout's program. */
export async function runCommand(command: string, folder: string): Promise<Ended> {
  return await runToEnd(["sh", "-c", command.replace("npx ws-showdown", program)], { cwd: folder });
}
