import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { optionsOf } from "../../src/cli/command-options.ts";
import { commands } from "../../src/cli/commands.ts";
import { cacheFolder, projectFolder } from "../../src/machine/installation.ts";
import { temporaryFolder } from "../showdown/showdown.ts";

// The validator is installed once, and stays in the cache.
setDefaultTimeout(120_000);

const folder = join(projectFolder, "deploy", "kubernetes");
const names = readdirSync(folder).filter((name) => name.endsWith(".yaml") && name !== "kustomization.yaml");

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts: readonly { readonly name: string }[];
}

interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: {
    readonly [key: string]: unknown;
    readonly template?: {
      readonly spec: {
        readonly restartPolicy?: string;
        readonly containers: readonly Container[];
        readonly volumes: readonly {
          readonly name: string;
          readonly configMap?: { readonly name: string };
          readonly persistentVolumeClaim?: { readonly claimName: string };
        }[];
      };
    };
  };
}

const documents = names.flatMap((name) => {
  const parsed = Bun.YAML.parse(readFileSync(join(folder, name), "utf8"));
  return (Array.isArray(parsed) ? parsed : [parsed]) as Document[];
});

function find(kind: string, name: string): Document {
  const found = documents.find((one) => one.kind === kind && one.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
}

const version = "1.37.0";
const validator = join(cacheFolder, `kubernetes-validate-${version}`);
const scratch = temporaryFolder();
let missing: string | null = null;

/** Into a folder of its own, since a system's Python is not ours to change. */
beforeAll(() => {
  if (existsSync(join(validator, "complete"))) return;
  const pip = ["python3", "-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "15"];
  const install = [...pip, "--upgrade", "--target", validator, `kubernetes-validate==${version}`];
  const { exitCode = 1 } = Bun.which("python3") === null ? {} : Bun.spawnSync(install, { stdout: "ignore" });
  if (exitCode === 0) {
    writeFileSync(join(validator, "complete"), "");
    return;
  }
  missing = `"${install.join(" ")}" does not work here`;
  console.warn(`Manifests are not checked against Kubernetes' schemas: ${missing}.`);
}, 120_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What the API's schema of that version says of each file; nothing of one that it takes. */
function validate(kubernetes: string, ...files: readonly string[]): { exitCode: number; said: string } {
  const command = ["python3", "-m", "kubernetes_validate", "--strict", "-k", kubernetes, ...files];
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, {
    env: { ...process.env, PYTHONPATH: validator },
  });
  return { exitCode, said: `${stdout}${stderr}` };
}

test.each(["1.31", "1.37"])("Kubernetes %s takes the manifests", (kubernetes) => {
  if (missing !== null) return;
  const { exitCode, said } = validate(kubernetes, ...names.map((name) => join(folder, name)));
  expect(exitCode, said).toBe(0);
});

test("a manifest with a key that there is not is found", () => {
  if (missing !== null) return;
  const wrong = join(scratch, "agents.yaml");
  writeFileSync(
    wrong,
    readFileSync(join(folder, "agents.yaml"), "utf8").replace("backoffLimit", "backOffLimit"),
  );
  const { exitCode, said } = validate("1.37", wrong);
  expect(exitCode).not.toBe(0);
  expect(said).toContain("backOffLimit");
});

test("an agent starts once, and the coordinator waits for as many as there are", () => {
  const agents = find("Job", "showdown-agents").spec;
  const coordinator = find("Job", "showdown-coordinator").spec;
  expect(agents).toMatchObject({
    completionMode: "Indexed",
    backoffLimit: 0,
    podReplacementPolicy: "Failed",
  });
  for (const one of [agents, coordinator]) expect(one?.template?.spec.restartPolicy).toBe("Never");
  const args = coordinator?.template?.spec.containers[0]?.args ?? [];
  const awaited = Number(args[args.indexOf("--agents") + 1]);
  expect([agents?.completions, agents?.parallelism]).toEqual([awaited, awaited]);
});

// Without a fleet the program has no agents.
test.skipIf(!Object.hasOwn(commands, "agent"))("commands and their options are those of the program", () => {
  const jobs = documents.filter(({ kind }) => kind === "Job");
  expect(jobs).toHaveLength(2);
  for (const { spec } of jobs) {
    const { args: [command = "", ...args] = [], env = [] } = spec?.template?.spec.containers[0] ?? {};
    expect(Object.keys(commands)).toContain(command);
    const known = optionsOf(command);
    const given = args.filter((word) => word.startsWith("--"));
    expect(given.filter((word) => !known.some(({ name }) => word === `--${name}`))).toEqual([]);
    const set = env.filter(({ name }) => name.startsWith("SHOWDOWN_"));
    expect(set).toHaveLength(1);
    for (const { name, value = "" } of set) {
      const option = known.find(({ variable }) => variable === name);
      expect(option?.type.read(value.replace("$(BUS_TOKEN)", "abc"))).toHaveProperty("value");
      find("Service", URL.parse(value.replace("$(BUS_TOKEN)", "abc"))?.hostname ?? "");
    }
  }
});

test("what is mounted is there, and one image is used for both jobs", () => {
  const images = new Set<string>();
  for (const { kind, spec } of documents) {
    const { containers = [], volumes = [] } = spec?.template?.spec ?? {};
    for (const { image, volumeMounts } of containers) {
      if (kind === "Job") images.add(image);
      for (const mount of volumeMounts) expect(volumes.map(({ name }) => name)).toContain(mount.name);
    }
    for (const { configMap, persistentVolumeClaim: claim } of volumes) {
      if (configMap !== undefined) find("ConfigMap", configMap.name);
      if (claim !== undefined) find("PersistentVolumeClaim", claim.claimName);
    }
  }
  const kustomization = readFileSync(join(folder, "kustomization.yaml"), "utf8");
  expect([...images]).toEqual(["ws-showdown"]);
  expect(kustomization).toContain("- name: ws-showdown\n");
  for (const name of names) expect(kustomization).toContain(`- ${name}\n`);
});

test("the container file builds by scripts that there are, from files that are not left out", () => {
  const text = readFileSync(join(projectFolder, "deploy", "Containerfile"), "utf8");
  const { scripts } = JSON.parse(readFileSync(join(projectFolder, "package.json"), "utf8"));
  for (const [, script = ""] of text.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty(script);
  expect(text).toContain("npm run build:executable");
  const ignored = readFileSync(join(projectFolder, ".dockerignore"), "utf8").split("\n");
  for (const needed of ["src", "scripts", "package.json", "package-lock.json", ".npmrc", "contenders"]) {
    expect(ignored).not.toContain(needed);
  }
});
