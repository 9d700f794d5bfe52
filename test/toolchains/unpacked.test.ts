import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectFolder } from "../../src/machine/installation.ts";

// The real thing, with a package that is small: Debian's index is most of the 15 s.
const isPossible = Bun.which("apt-get") !== null && Bun.which("dpkg-deb") !== null;
const script = join(projectFolder, "src", "contenders", "unpack-debian.sh");
let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "unpacked-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const unpack = (packageName: string, ...options: readonly string[]) =>
  Bun.spawnSync(["sh", script, ...options, join(root, packageName), "trixie", packageName], {
    stdin: "ignore",
  });

test.skipIf(!isPossible)("a program of a newer Debian runs from its folder, on its own libraries", () => {
  const { exitCode, stderr } = unpack("jq");
  expect(exitCode, stderr.toString()).toBe(0);
  const folder = join(root, "jq");
  const jq = join(folder, "bin", "jq");
  expect(Bun.spawnSync([jq, "-c", ".a"], { stdin: Buffer.from('{"a":[1]}') }).stdout.toString()).toBe(
    "[1]\n",
  );
  const libraries = Bun.spawnSync(["ldd", jq]).stdout.toString();
  expect(libraries).toMatch(new RegExp(`libc\\.so\\.6 => ${folder}/`));
  expect(readdirSync(root)).toEqual(["jq"]);
});

test.skipIf(!isPossible)("a package alone brings its own files, and nothing that it depends on", () => {
  const { exitCode, stderr } = unpack("sgml-base", "--alone");
  expect(exitCode, stderr.toString()).toBe(0);
  expect(existsSync(join(root, "sgml-base", "usr", "share", "sgml-base"))).toBe(true);
  expect(existsSync(join(root, "sgml-base", "usr", "bin"))).toBe(false);
});

test.skipIf(!isPossible)("a package that is not there leaves nothing", () => {
  const { exitCode, stderr } = unpack("no-such-package");
  expect(exitCode).not.toBe(0);
  expect(stderr.toString()).toContain("no-such-package");
  expect(existsSync(join(root, "no-such-package.new"))).toBe(false);
});
