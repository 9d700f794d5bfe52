import { readdirSync, readFileSync } from "node:fs";

/** What a file says, without the white space around it; null where it is missing, unreadable or empty. */
export function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim() || null;
  } catch {
    return null;
  }
}

/** Names in a folder; none where it is missing or unreadable. */
export function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** What a command prints, trimmed; null when it fails, hangs or does not exist. */
export async function readOutput(command: readonly string[], timeoutMs = 5000): Promise<string | null> {
  try {
    const options = { stdin: "ignore", stdout: "pipe", stderr: "ignore", timeout: timeoutMs } as const;
    const child = Bun.spawn([...command], options);
    const text = await new Response(child.stdout).text();
    return (await child.exited) === 0 ? text.trim() : null;
  } catch {
    return null;
  }
}
