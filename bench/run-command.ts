/**
 * Runs a command to its end and returns what it printed.
 *
 * @throws Error with what it said on stderr, when it fails
 */
export async function runCommand(command: readonly string[], cwd: string): Promise<string> {
  const child = Bun.spawn([...command], { cwd, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${command.join(" ")} failed with exit code ${code}: ${err}`);
  return out;
}
