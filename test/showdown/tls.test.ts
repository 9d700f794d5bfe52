import { afterAll, afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { fixture, startServer, type TestServer } from "../contract/server-process.ts";
import { Authority, type Certified } from "../support/certificates.ts";
import { longestMs, ranPhase, roundOf, runResults, showdown, smokeRun } from "./showdown.ts";

setDefaultTimeout(longestMs);

const authority = new Authority();
const good = authority.issue("good", "DNS:localhost,IP:127.0.0.1");
const elsewhere = authority.issue("elsewhere", "DNS:elsewhere.test");
const ca = ["--ca", authority.own.certFile];
const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.kill();
});
afterAll(() => authority.remove());

/** Where a server of the contract listens for TLS. */
function startSecure(command: string[], { certFile, keyFile }: Certified = good): number {
  const server = startServer(["env", `TLS_CERT=${certFile}`, `TLS_KEY=${keyFile}`, ...command]);
  servers.push(server);
  return server.target.port;
}

const bunServe = fixture("bun-server.ts");
const nodeWs = ["node", join(authority.folder, "ws-server.mjs")];
const entrypoints = [join(import.meta.dir, "..", "fixtures", "conformance", "ws-server.ts")];
// Bun would put its own TLS and its own `ws` in the place of Node's.
await Bun.build({ entrypoints, target: "node", outdir: authority.folder, naming: "ws-server.mjs" });
const run = smokeRun.filter((option) => option !== "--no-verify");

test.each([
  ["Bun.serve", bunServe],
  ["ws on Node", nodeWs],
] as const)("%s behind TLS is verified and loaded as any other, by its name", async (_, command) => {
  const url = `wss://localhost:${startSecure(command)}/ws`;
  const phases = ["--phases", "connect,burst-echo,burst-broadcast"];
  const ended = await runResults(...run, "clean", "--url", url, "--name", "mine", ...ca, ...phases);
  expect(ended.exitCode).toBe(0);
  const [, facts] = ended.result.contenders;
  expect(facts).toMatchObject({ url, notRun: null, verified: { competes: true, problem: null } });
  const mine = roundOf(ended, "mine");
  const connect = ranPhase(mine, "connect");
  if (connect.kind !== "connect") throw new Error(connect.kind);
  const { opened, requested, failed } = connect.connections;
  expect({ opened, failed }).toEqual({ opened: requested, failed: 0 });
  expect(connect.tlsUs?.count).toBe(opened);
  expect(connect.tlsUs?.p50).toBeGreaterThan(0);
  for (const phase of ["burst-echo", "burst-broadcast"]) {
    expect(ranPhase(mine, phase)).toMatchObject({
      status: "ok",
      messages: { lost: 0, duplicated: 0, corrupted: 0, reordered: 0 },
      findings: [],
    });
  }
  const plain = ranPhase(roundOf(ended, "clean"), "connect");
  expect(plain).not.toHaveProperty("tlsUs");
  // The client's key and what it trusts are nobody's business.
  expect(JSON.stringify(ended.result)).not.toContain("BEGIN");
});

test("verify speaks TLS, and says what to do about a certificate that it can't trust", async () => {
  const url = `wss://127.0.0.1:${startSecure(bunServe)}/ws`;
  const trusted = await showdown("verify", url, ...ca);
  expect(trusted.stdout).toContain(`${url}: `);
  expect(trusted).toMatchObject({ exitCode: 0 });
  const untrusted = await showdown("verify", url);
  expect(untrusted.exitCode).toBe(11);
  expect(untrusted.stdout).toContain("no TLS with 127.0.0.1:");
  expect(untrusted.stdout).toContain("--insecure");
  const insecure = await showdown("verify", url, "--insecure", "--json");
  expect(insecure.exitCode).toBe(0);
  expect(insecure.stdout).not.toContain("BEGIN");
});

test("a server whose certificate is wrong takes no part in a run, which says why", async () => {
  const url = `wss://localhost:${startSecure(bunServe, elsewhere)}/ws`;
  const ended = await runResults(...smokeRun, "clean", "--url", url, "--name", "mine", ...ca);
  expect(ended.result.contenders[1]?.notRun).toMatchObject({ kind: "unreachable" });
  expect(ended.stderr).toMatch(/mine is not run: .*--insecure/);
  expect(roundOf(ended, "clean").status).toBe("ok");
});
