import { basename, dirname, relative, resolve } from "node:path";
import { type Contender, discoverContenders } from "../../contenders/discover.ts";
import { namePattern, nameRule } from "../../contenders/manifest.ts";
import { copyTemplate, findTemplate } from "../../contenders/template.ts";
import { ensureToolchains, findMissing } from "../../contenders/toolchains.ts";
import { exitCodes, ShowdownError } from "../../errors.ts";
import { printable } from "../../text/printable.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { contenderFolders } from "../paths.ts";

/** `showdown new`: a contender of one's own, which begins as a copy of another's sources. Returns the exit code. */
export async function create({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  const [path, ...others] = positionals;
  if (path === undefined || others.length > 0) {
    throw new ShowdownError("usage", `expected one folder to make, got ${positionals.length}`, {
      hint: "showdown new my-server --like node-ws",
    });
  }
  const folder = resolve(host.cwd, path);
  const name = basename(folder);
  if (!namePattern.test(name)) {
    throw new ShowdownError("usage", `"${printable(name)}": ${nameRule.replace("go-gorilla", "my-server")}`);
  }
  const roots = contenderFolders(values, host);
  const contenders = await discoverContenders(roots);
  const twin = contenders.find((one) => one.name === name);
  if (twin !== undefined) {
    throw new ShowdownError("usage", `"${name}" is taken by ${twin.folder}; expected a name of its own`);
  }
  const template = findTemplate(contenders, values.like);
  const called = roots.includes(dirname(folder)) ? name : showPath(relative(host.cwd, folder));
  await copyTemplate(template, folder, describe(name, called, template));
  await tellMissing(template, host);
  host.out(`${folder}: a copy of ${template.name}\n\n${listCommands(name, called)}\n`);
  return exitCodes.ok.code;
}

function showPath(path: string): string {
  return path.startsWith(".") || path.startsWith("/") ? path : `./${path}`;
}

function listCommands(name: string, called: string): string {
  return [
    `showdown verify ${called}                # until it competes`,
    `showdown run ${called} bun-native        # against another`,
    `showdown history --contender ${name}     # what your changes did`,
  ].join("\n");
}

function describe(name: string, called: string, { name: like, manifest }: Contender): string {
  return `# ${name}

A WebSocket chat server, made by \`showdown new\` from \`${like}\` (${manifest.title}). It builds and competes as it is.

Change the sources as you like, as long as the server keeps the contract (\`contenders/CONTRACT.md\` of ws-showdown). Then say in \`contender.json\` what it is: \`title\`, \`library\`, \`approach\`.

\`\`\`sh
${listCommands(name, called)}
\`\`\`
`;
}

/** The folder is made all the same: a toolchain may come later. */
async function tellMissing({ manifest: { requires } }: Contender, host: Host): Promise<void> {
  const states = await ensureToolchains(requires, { install: "never" });
  for (const { reason, command } of findMissing(requires, states)) {
    host.err(`warning: ${printable(reason)}; before it can be built: ${command}\n`);
  }
}
