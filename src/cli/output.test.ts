import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exitCodes } from "../errors.ts";

setDefaultTimeout(30_000);
const main = join(import.meta.dir, "main.ts");
const folder = mkdtempSync(join(tmpdir(), "showdown-output-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Contenders whose list is far larger than a pipe: 40 of 50 kB each. */
const contenders = join(folder, "contenders");
const manifest = JSON.parse(
  readFileSync(join(import.meta.dir, "../../contenders/bun-native/contender.json"), "utf8"),
);
for (let index = 0; index < 40; index++) {
  const name = `many-${String(index).padStart(2, "0")}`;
  mkdirSync(join(contenders, name), { recursive: true });
  const text = JSON.stringify({ ...manifest, variants: {}, title: `${name} ${"x".repeat(50_000)}` });
  writeFileSync(join(contenders, name, "contender.json"), text);
}

/** The program's exit code, its stderr, and what is left of its stdout behind a pipe. */
function pipe(args: string, reader: string, before = "true") {
  const program = `"${process.execPath}" "${main}" ${args}`;
  const script = `{ ${before}; { ${program} 2> err; echo $? > code; } | ${reader}; } > read`;
  Bun.spawnSync(["sh", "-c", script], { cwd: folder, stdin: "ignore" });
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  return { exitCode: Number(read("code")), err: read("err"), out: read("read") };
}
const list = `list --json --contenders "${contenders}"`;

test("a reader that takes its time gets everything", () => {
  const { exitCode, err, out } = pipe(list, "(sleep 1; cat)");
  expect({ exitCode, err }).toEqual({ exitCode: exitCodes.ok.code, err: "" });
  expect(out.length).toBeGreaterThan(2_000_000);
  expect(JSON.parse(out).length).toBeGreaterThanOrEqual(40);
});

test("a reader that goes away ends the program, and nothing is said of it", () => {
  const { exitCode, err, out } = pipe(list, "head -c 10");
  expect(out).toHaveLength(10);
  expect({ exitCode, err }).toEqual({ exitCode: exitCodes.pipeClosed.code, err: "" });
});

test("a reader that was gone before anything was written", () => {
  expect(pipe("--help", "true", "sleep 0.3")).toEqual({
    exitCode: exitCodes.pipeClosed.code,
    err: "",
    out: "",
  });
});

test.if(process.platform === "linux")("output that cannot be written is told, and is no success", () => {
  const script = `"${process.execPath}" "${main}" list --json > /dev/full`;
  const { exitCode, stderr } = Bun.spawnSync(["sh", "-c", script], { stdin: "ignore" });
  expect(`${stderr}`).toMatch(/^error: stdout cannot be written: .*ENOSPC/);
  expect(exitCode).toBe(exitCodes.writing.code);
});

test("stdout and stderr stay in order where both are one file", async () => {
  const path = join(folder, "both");
  const script = `
    import { createHost } from ${JSON.stringify(join(import.meta.dir, "host.ts"))};
    const { host, finish } = createHost();
    for (let line = 0; line < 200; line++) (line % 2 === 0 ? host.out : host.err)(line + "\\n");
    await finish(0);
  `;
  Bun.spawnSync(["sh", "-c", `"$0" -e "$1" > "${path}" 2>&1`, process.execPath, script]);
  const lines = readFileSync(path, "utf8").trim().split("\n").map(Number);
  expect(lines).toEqual(Array.from({ length: 200 }, (_, line) => line));
});
