import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attackResultSchema } from "../../src/result/attack.ts";
import { longestMs, showdown, showdownUnder } from "../showdown/showdown.ts";
import { Authority } from "../support/certificates.ts";
import { startOpenSslServer } from "../support/openssl-server.ts";
import { attack, small } from "./attack.ts";
import { echo, serve, type TestServer } from "./servers.ts";

setDefaultTimeout(longestMs);

const authority = new Authority();
const good = authority.issue("good", "DNS:localhost,IP:127.0.0.1");
const expired = authority.issue("expired", "IP:127.0.0.1", -1);
const elsewhere = authority.issue("elsewhere", "DNS:elsewhere.test");
const client = authority.issue("client", "DNS:client.test");
const selfSigned = authority.selfSigned("self-signed", ["-addext", "subjectAltName=IP:127.0.0.1"]);
const ca = ["--ca", authority.own.certFile];

const stranger = new Authority();
const unknown = stranger.issue("unknown", "IP:127.0.0.1");

const stops: (() => unknown)[] = [];
afterAll(async () => {
  for (const stop of stops.splice(0)) await stop();
  authority.remove();
  stranger.remove();
});

function start(...ways: Parameters<typeof serve>): TestServer {
  const server = serve(...ways);
  stops.push(() => server.stop());
  return server;
}

test.concurrent("wss: all is audited as over ws, the handshake is a figure, and nothing secret is kept", async () => {
  const { url } = start(echo, { tls: { cert: good.cert, key: good.key } });
  const pair = ["--cert", client.certFile, "--key", client.keyFile];
  const { result, folder, stderr } = await attack(`${url}chat?room=1&token=hush-1`, ...small, ...ca, ...pair);
  expect(result.messages).toMatchObject({ sent: 400, answered: 400, lost: 0 });
  expect(result.connections.tlsUs?.count).toBe(4);
  expect(result.connections.upgradeUs.count).toBe(4);
  expect(stderr).toContain("TLS handshake");
  expect(result.plan.target).toMatchObject({
    path: "/chat?room=1&token=…",
    tls: { verify: true, serverName: "127.0.0.1", ownAuthority: true, clientCertificate: true },
  });
  const secrets = ["hush", "PRIVATE KEY", "BEGIN CERTIFICATE"];
  const texts = ["result.json", "report.md", "report.html"].map((file) => join(folder, file));
  for (const file of texts) {
    const text = await Bun.file(file).text();
    expect(secrets.filter((one) => text.includes(one))).toEqual([]);
  }
  expect(stderr).not.toContain("hush");
});

test.concurrent("the server gets what the URL says, secrets included", async () => {
  const asked: string[] = [];
  const refuse = ({ url }: Request) => {
    asked.push(new URL(url).search);
    return null;
  };
  const { url } = start(echo, { refuse });
  await attack(`${url}?token=hush`, ...small);
  expect(asked).toEqual(Array(4).fill("?token=hush"));
});

test.concurrent.each([
  ["expired", expired, "expired", /certificate has expired; renew it, or go on with --insecure/],
  ["for another host", elsewhere, "wrong-host", /is for another host; use a name that it is for/],
  ["self-signed", selfSigned, "self-signed", /is self-signed; trust it with --ca FILE/],
  ["of an unknown issuer", unknown, "unknown-issuer", /nobody trusted has issued the server's certificate/],
] as const)(
  "a certificate that is %s: every connection failed, and what to do",
  async (_, own, problem, says) => {
    const { url } = start(echo, { tls: { cert: own.cert, key: own.key } });
    const { result, exitCode, stderr } = await attack(url, ...small, ...ca);
    expect(exitCode).toBe(15);
    expect(result.connections).toMatchObject({ opened: 0, failed: 4 });
    expect(result.connections.failures).toMatchObject([{ failure: { kind: "tls", problem }, count: 4 }]);
    expect(stderr.replace(/\s+/g, " ")).toMatch(says);
  },
);

test.concurrent("--insecure takes any certificate", async () => {
  const { url } = start(echo, { tls: { cert: selfSigned.cert, key: selfSigned.key } });
  const { result } = await attack(url, ...small, "--insecure");
  expect(result.messages).toMatchObject({ answered: 400 });
  expect(result.plan.target.tls?.verify).toBe(false);
});

test.concurrent("a server that does not speak TLS, and one that stalls in the handshake", async () => {
  const plain = start(echo);
  const refused = await attack(plain.url.replace("ws:", "wss:"), ...small);
  expect(refused.result.connections.failures).toMatchObject([
    { failure: { kind: "tls", problem: "not-tls" }, count: 4 },
  ]);
  const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  stops.push(() => silent.stop(true));
  const stalled = await attack(`wss://127.0.0.1:${silent.port}/`, ...small, "--connect-timeout", "3");
  expect(stalled.result.connections.failures).toEqual([
    { failure: { kind: "timeout", stage: "tls" }, count: 4 },
  ]);
});

test.concurrent("a server that speaks TLS 1.1 only", async () => {
  const { port, stop } = await startOpenSslServer(good, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0");
  stops.push(stop);
  const { result, stderr } = await attack(`wss://127.0.0.1:${port}/`, ...small, ...ca);
  expect(result.connections.failures).toMatchObject([
    { failure: { kind: "tls", problem: "version" }, count: 4 },
  ]);
  expect(stderr).toContain("the server does not speak TLS 1.2 or newer");
});

test.concurrent.if(process.platform === "linux")(
  "without OpenSSL's library Bun's own TLS does the same",
  async () => {
    const folder = join(authority.folder, "no-openssl");
    mkdirSync(folder);
    // The loader looks here first, and goes no further.
    writeFileSync(join(folder, "libssl.so.3"), "no library");
    const { url } = start(echo, { tls: { cert: good.cert, key: good.key } });
    const library = join(import.meta.dir, "..", "..", "src", "engine", "sockets", "openssl.ts");
    const env = ["env", `LD_LIBRARY_PATH=${folder}`];
    const look = `console.log((await import(${JSON.stringify(library)})).openSsl())`;
    expect(Bun.spawnSync([...env, process.execPath, "-e", look]).stdout.toString()).toBe("null\n");
    const results = join(folder, "results");
    const { stdout, stderr } = await showdownUnder(
      env,
      "attack",
      url,
      ...small,
      ...ca,
      "--json",
      "--results",
      results,
    );
    const { messages, connections } = attackResultSchema.parse(JSON.parse(stdout));
    expect(messages, stderr).toMatchObject({ sent: 400, answered: 400, lost: 0 });
    expect(connections.tlsUs?.count).toBe(4);
  },
);

test.concurrent("a server that wants a certificate of the client gets it by --cert and --key", async () => {
  const asks = { requestCert: true, rejectUnauthorized: true, ca: authority.own.cert };
  const { url } = start(echo, { tls: { cert: good.cert, key: good.key, ...asks } });
  const without = await attack(url, ...small, ...ca);
  expect(without.result.messages.answered).toBe(0);
  expect(without.stderr).toContain(
    "the server wants a certificate of the client; give --cert FILE and --key FILE",
  );
  const pair = ["--cert", client.certFile, "--key", client.keyFile];
  const { result } = await attack(url, ...small, ...ca, ...pair);
  expect(result.messages).toMatchObject({ sent: 400, answered: 400 });
});

test.concurrent("--cert without --key is refused before anything is opened", async () => {
  const ended = await showdown("attack", "wss://127.0.0.1:9/", "--cert", client.certFile);
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toContain("--cert without --key");
});

test.concurrent("--trace shows what is said within TLS", async () => {
  const { url } = start(echo, { tls: { cert: good.cert, key: good.key } });
  const { stdout, exitCode } = await showdown("attack", url, ...ca, "--trace", "--reply-timeout", "0.3");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("TLS is established");
  expect(stdout).toContain("hello 1 of 0");
  expect(stdout).toContain("3 messages sent, 3 answered");
});
