import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { attackResultSchema } from "../../src/result/attack.ts";
import { small } from "../attack/attack.ts";
import { showdown, showdownCommand, temporaryFolder } from "../showdown/showdown.ts";
import { startEcho } from "./echo-server.ts";

setDefaultTimeout(120_000);
const results = temporaryFolder();
let echo: ReturnType<typeof startEcho>;
beforeAll(() => {
  echo = startEcho();
});
afterAll(async () => {
  await echo.stop();
  rmSync(results, { recursive: true });
});

test.concurrent("Prometheus is answered while an attack goes on, and a collector is told all of it in the end", async () => {
  const sent: Sent[] = [];
  const collector = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      expect(request.headers.get("x-tenant")).toBe("mine");
      if (request.method === "POST" && pathname === "/v1/metrics") sent.push((await request.json()) as Sent);
      return Response.json({});
    },
  });
  const options = [
    "--results",
    results,
    "--json",
    "--metrics",
    "0",
    "--otlp",
    `http://127.0.0.1:${collector.port}`,
  ];
  const child = Bun.spawn(showdownCommand("attack", echo.url, ...small, "--duration", "3s", ...options), {
    // A proxy of the user's has no part in what stays on this machine.
    env: {
      ...process.env,
      HTTP_PROXY: "http://127.0.0.1:9",
      http_proxy: "http://127.0.0.1:9",
      OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=mine",
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let stderr = "";
  let scraped = "";
  for await (const chunk of child.stderr) {
    stderr += Buffer.from(chunk).toString();
    const url = /^Metrics: (\S+)$/m.exec(stderr)?.[1];
    if (url === undefined || scraped !== "") continue;
    expect(new URL(url).hostname).toBe("127.0.0.1");
    while (!/^showdown_message_latency_seconds_count\{/m.test(scraped)) {
      await Bun.sleep(100);
      scraped = await (await fetch(url)).text();
    }
    expect((await fetch(new URL("/", url))).status).toBe(404);
  }
  const result = attackResultSchema.parse(JSON.parse(await new Response(child.stdout).text()));
  await collector.stop(true);

  const { port } = new URL(echo.url);
  const labels = `run="${result.id}",contender="127.0.0.1:${port}",phase="attack",workload="echo"`;
  expect(scraped).toContain(`showdown_messages_sent_total{${labels}} `);
  expect(scraped).toContain(`showdown_message_latency_seconds_bucket{${labels},le="0.001"} `);
  expect(scraped).toContain(`showdown_connections{run="${result.id}",contender="127.0.0.1:${port}"} 4`);
  expect(scraped).toContain("# TYPE showdown_message_latency_seconds histogram");

  const last = Object.fromEntries(
    (sent.at(-1)?.resourceMetrics[0]?.scopeMetrics ?? [])
      .flatMap(({ metrics }) => metrics)
      .map(({ name, sum, histogram }) => [name, (sum ?? histogram)?.dataPoints[0]]),
  );
  expect(last.showdown_messages_sent?.asDouble).toBe(result.messages.sent);
  expect(last.showdown_deliveries?.asDouble).toBe(result.messages.answered);
  expect(Number(last.showdown_message_latency_seconds?.count)).toBe(result.latencyUs.count);
});

test.concurrent("a port that is taken and a collector that is down are told, and the attack goes on", async () => {
  const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { port } = other;
  const targets = ["--metrics", `127.0.0.1:${port}`, "--otlp", "http://127.0.0.1:1"];
  const { stdout, stderr } = await showdown(
    "attack",
    echo.url,
    ...small,
    ...targets,
    "--json",
    "--results",
    results,
  );
  await other.stop(true);
  const result = attackResultSchema.parse(JSON.parse(stdout));
  expect(result.messages).toMatchObject({ sent: 400, answered: 400 });
  expect(stderr).toMatch(new RegExp(`^warning: --metrics: port ${port} of 127.0.0.1 is in use`, "m"));
  expect(stderr.match(/^warning: --otlp http:\/\/127.0.0.1:1: .*ECONNREFUSED/gm)).toHaveLength(1);
});

/** OTLP's JSON, as far as it is looked at. */
interface Sent {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly sum?: Points;
        readonly histogram?: Points;
      }[];
    }[];
  }[];
}
interface Points {
  readonly dataPoints: readonly { readonly asDouble?: number; readonly count?: number | string }[];
}
