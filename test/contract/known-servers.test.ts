import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Framing } from "../../src/contract/check.ts";
import { formatCheckReport } from "../../src/contract/check-report.ts";
import { runChecks } from "../../src/contract/run-checks.ts";
import { fixture, startServer } from "./server-process.ts";

interface Known {
  readonly command: string[];
  readonly cwd?: string;
  readonly framing: Framing;
  /** Strict rules that the library itself does not keep. */
  readonly strict: readonly string[];
}

const gorilla = fileURLToPath(new URL("../../contenders/go-gorilla/", import.meta.url));

/** RFC 6455 as others have written it: what all of these do cannot be wrong. */
const known: Readonly<Record<string, Known>> = {
  ws: { command: fixture("ws-server.ts"), framing: "single", strict: [] },
  "Bun.serve": {
    command: fixture("bun-server.ts"),
    framing: "single",
    // It upgrades without looking at Upgrade and Connection.
    strict: ["handshake.half-asked"],
  },
  gorilla: {
    command: ["bin/server"],
    cwd: gorilla,
    framing: "single",
    // What gorilla itself leaves out, the contender adds.
    strict: [],
  },
};

describe("a server known to be good", () => {
  for (const [name, { command, cwd, framing, strict }] of Object.entries(known)) {
    // Go may not be here, and building is not this test's business.
    const built = cwd === undefined || existsSync(`${cwd}${command[0]}`);
    test.skipIf(!built)(
      `${name} passes`,
      async () => {
        if (cwd !== undefined)
          expect(JSON.parse(readFileSync(`${cwd}contender.json`, "utf8")).framing).toBe(framing);
        const server = startServer(command, cwd);
        const report = await runChecks(server.target, { process: server, framing });
        await server.kill();
        const failed = report.results.filter((result) => result.state === "fail").map((result) => result.id);
        expect(failed, formatCheckReport(report)).toEqual([...strict]);
        expect(report.competes).toBe(true);
      },
      60_000,
    );
  }

  test("passes over IPv6 as over IPv4", async () => {
    const server = startServer(fixture("raw-server.ts"), undefined, "::1");
    const report = await runChecks(server.target, { process: server });
    await server.kill();
    expect(formatCheckReport(report)).toContain(`ws://[::1]:${server.target.port}/ws: `);
    expect(report).toMatchObject({ failedRequired: 0, failedStrict: 0, competes: true });
  }, 60_000);

  test("passes with a proxy in the environment, which nothing is sent through", async () => {
    const names = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];
    const before = names.map((name) => process.env[name]);
    // Nobody listens there: what was sent through it would fail.
    for (const name of names) process.env[name] = /^no/i.test(name) ? "" : "http://127.0.0.1:9";
    const server = startServer(fixture("raw-server.ts"));
    const report = await runChecks(server.target, { process: server });
    await server.kill();
    for (const [i, name] of names.entries()) {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    }
    expect(formatCheckReport(report)).not.toContain("FAIL");
    expect(report.competes).toBe(true);
  }, 60_000);
});
