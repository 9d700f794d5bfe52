import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { projectFolder } from "../machine/installation.ts";
import { boundLines } from "../text/bound-lines.ts";
import { inlineSource } from "../text/inline.ts" with { type: "macro" };
import { printable } from "../text/printable.ts";

/** What a scenario may import of "ws-showdown", where the package is not installed beside it. */
const api = inlineSource("engine/scenario/scenario.ts");
const mostProblems = 8;
const mostLine = 300;
const patienceMs = 60_000;
/** Modules and globals whose types nobody has installed: whether they are there is found when the scenario is loaded. */
const missingTypes = ["TS2307", "TS2580", "TS2591", "TS2867", "TS2868", "TS7016"];

/** What became of it: problems by line, none where all is right; or why nobody looked. */
export type TypeCheck = { readonly problems: readonly string[] } | { readonly unchecked: string };

/**
 * Checks a scenario's types by the TypeScript compiler that is installed near it, or in the project.
 *
 * @param path absolute
 * @param folder that problems name files relative to
 */
export async function checkTypes(path: string, folder: string): Promise<TypeCheck> {
  if (!/\.[cm]?tsx?$/.test(path)) return { problems: [] };
  const compiler = findUpwards(path, join("node_modules", ".bin", "tsc")) ?? findOwnCompiler();
  if (compiler === null)
    return { unchecked: "no TypeScript compiler near it: npm install --save-dev typescript" };
  const scratch = mkdtempSync(join(tmpdir(), "showdown-types-"));
  try {
    const config = join(scratch, "tsconfig.json");
    writeFileSync(join(scratch, "ws-showdown.ts"), api);
    writeFileSync(config, JSON.stringify(describeCheck(path, scratch)));
    const child = Bun.spawn([compiler, "--pretty", "false", "-p", config], {
      cwd: folder,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: patienceMs,
    });
    const said = await new Response(child.stdout).text();
    const exitCode = await child.exited;
    if (child.signalCode !== null) return { unchecked: `${compiler} took more than ${patienceMs / 1000} s` };
    const problems = readProblems(said);
    // It failed for another reason than what stands in a file, such as an option that it is too old for.
    if (exitCode !== 0 && !/\(\d+,\d+\): error TS\d+/.test(said)) {
      return { unchecked: `${compiler} failed: ${printable(said.trim(), { most: mostLine }) || exitCode}` };
    }
    return { problems: boundLines(problems, mostProblems) };
  } catch (error) {
    return { unchecked: `${compiler} cannot be run: ${(error as Error).message}` };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function describeCheck(path: string, scratch: string) {
  const isInstalled = findUpwards(path, join("node_modules", "ws-showdown", "package.json")) !== null;
  const types = ["bun", "node"].flatMap((name) => {
    const found = findUpwards(path, join("node_modules", "@types", name));
    return found === null ? [] : [{ name, root: dirname(found) }];
  });
  return {
    compilerOptions: {
      target: "ESNext",
      module: "ESNext",
      moduleResolution: "bundler",
      // Browsers' and servers' own names, such as `performance` and `setTimeout`.
      lib: ["ESNext", "DOM", "DOM.Iterable"],
      types: types.map(({ name }) => name),
      typeRoots: types.map(({ root }) => root),
      allowImportingTsExtensions: true,
      resolveJsonModule: true,
      noEmit: true,
      strict: true,
      skipLibCheck: true,
      ...(isInstalled ? {} : { paths: { "ws-showdown": [join(scratch, "ws-showdown.ts")] } }),
    },
    files: [path],
    include: [],
  };
}

/** `scenario.ts(10,5): error TS2345: …` as `scenario.ts:10:5: …`, each with what follows it. */
function readProblems(said: string): string[] {
  const lines: string[] = [];
  let isShown = false;
  for (const line of said.split("\n")) {
    const [, file, row, column, code = "", text = ""] =
      /^(.+?)\((\d+),(\d+)\): error (TS\d+): (.*)$/.exec(line) ?? [];
    if (file !== undefined) {
      isShown = !missingTypes.includes(code);
      if (isShown) lines.push(printable(`${file}:${row}:${column}: ${text} (${code})`, { most: mostLine }));
    } else if (isShown && line.startsWith("  ")) {
      lines[lines.length - 1] = printable(`${lines.at(-1)} ${line.trim()}`, { most: mostLine });
    }
  }
  return lines;
}

/** In the folder of a file, or the nearest one above it that has it. */
function findUpwards(path: string, name: string): string | null {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const found = join(folder, name);
    if (existsSync(found)) return found;
    if (folder === dirname(folder)) return null;
  }
}

function findOwnCompiler(): string | null {
  const own = join(projectFolder, "node_modules", ".bin", "tsc");
  return existsSync(own) ? own : null;
}
