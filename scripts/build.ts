/**
 * Makes what is shipped, in `dist`: `bun scripts/build.ts` for the npm package, and with `--executable` the program as
 * one file, for this platform or, with `--runtime BUN`, for that of another Bun.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { formatManPage } from "../src/cli/man-page.ts";
import { digestSources } from "../src/contenders/digest.ts";
import { findCommit, readToolVersion } from "../src/machine/environment.ts";
import { projectFolder } from "../src/machine/installation.ts";

const source = join(projectFolder, "src");
const target = join(projectFolder, "dist");
const { values } = parseArgs({
  options: { executable: { type: "boolean", default: false }, runtime: { type: "string" } },
});
const shared = {
  target: "bun",
  define: {
    SHOWDOWN_BUILD: JSON.stringify({
      commit: await findCommit(projectFolder),
      digest: await digestSources(source, []),
    }),
  },
  // Names stay, so that whoever reports a stack reports something.
  minify: { whitespace: false, identifiers: false, syntax: true },
} as const;

if (values.executable) await buildExecutable();
else await buildPackage();

async function buildPackage(): Promise<void> {
  rmSync(target, { recursive: true, force: true });
  const { metafile } = await Bun.build({
    ...shared,
    metafile: true,
    entrypoints: [join(source, "cli", "main.ts"), join(source, "index.ts")],
    outdir: target,
    splitting: true,
    naming: { entry: "[name].js", chunk: "chunk-[hash].js" },
  });
  copyFileSync(join(source, "contenders", "unpack-debian.sh"), join(target, "unpack-debian.sh"));
  writeFileSync(join(target, "showdown.1"), formatManPage(readToolVersion()));
  await declareTypes();
  writeFileSync(join(target, "LICENSES.txt"), licensesOf(Object.keys(metafile?.inputs ?? {})));
}

async function declareTypes(): Promise<void> {
  const tsc = join(projectFolder, "node_modules", ".bin", "tsc");
  const { exitCode, stdout } = Bun.spawnSync([tsc, "-p", join(projectFolder, "tsconfig.build.json")]);
  if (exitCode !== 0) throw new Error(`the types could not be written:\n${stdout}`);
}

async function buildExecutable(): Promise<void> {
  mkdirSync(target, { recursive: true });
  const { runtime } = values;
  await Bun.build({
    ...shared,
    entrypoints: [join(source, "cli", "main.ts")],
    compile: {
      outfile: join(target, "showdown"),
      // It does what it is told on its command line, not what lies in the folder that it is started in.
      autoloadDotenv: false,
      autoloadBunfig: false,
      ...(runtime === undefined ? {} : { executablePath: runtime }),
    },
  });
}

/** Of the packages that these files are of: each wants its own to go with it. */
function licensesOf(files: readonly string[]): string {
  const names = files.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
  return [...new Set(names)]
    .map((name) => {
      const folder = join(projectFolder, "node_modules", name);
      const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
      if (file === undefined) throw new Error(`${relative(projectFolder, folder)} has no license`);
      return `${name}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
    })
    .join("\n---\n\n");
}
