import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBusAddress } from "./bus-address.ts";

const read = (url: string, options: Parameters<typeof readBusAddress>[1] = {}) =>
  readBusAddress(url, options, "/");

test("a login stands in the URL, and is not shown", () => {
  expect(read("nats://s3cret@bus.example.org")).toMatchObject({
    shown: "nats://…@bus.example.org",
    servers: ["bus.example.org:4222"],
    login: { kind: "token", token: "s3cret" },
    tls: null,
  });
  expect(read("tls://me:p%40ss@a:1,tls://b:2")).toMatchObject({
    servers: ["a:1", "b:2"],
    login: { kind: "user", user: "me", pass: "p@ss" },
    tls: { verify: true },
    warnings: [],
  });
});

test("without a login the bus is on this machine, or its owner says that nobody else reaches it", () => {
  for (const url of ["nats://127.0.0.1", "nats://localhost:1", "nats://[::1]:4222"]) {
    expect(read(url).warnings).toEqual([]);
  }
  expect(() => read("nats://127.0.0.1,nats://10.0.0.5")).toThrow("whoever reaches this bus");
  const [warning] = read("nats://10.0.0.5", { "insecure-bus": true }).warnings;
  expect(warning).toContain("--insecure-bus: whoever reaches this bus can command its agents");
  expect(read("nats://token@10.0.0.5").warnings[0]).toContain("can be read on the way");
});

test("credentials are a user's claims and seed; of a file with anything else nobody waits for the bus", () => {
  const folder = mkdtempSync(join(tmpdir(), "creds-"));
  try {
    const file = join(folder, "bus.creds");
    const readFile = (text: string) => {
      writeFileSync(file, text);
      return read("nats://10.0.0.5", { "bus-creds": file }).login;
    };
    const right = `-----BEGIN NATS USER JWT-----\na.b-c.d_e\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\nSU${"A".repeat(56)}\n------END USER NKEY SEED------\n`;
    expect(readFile(right)).toEqual({ kind: "creds", text: right });
    expect(readFile(right.replaceAll("\n", "\r\n")).kind).toBe("creds");
    for (const text of ["", "s3cret", right.replace("a.b-c.d_e", ""), right.replace("SUA", "SAA")]) {
      expect(() => readFile(text)).toThrow(/--bus-creds .*: there are no credentials of a user in it/);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each(["", "nats://", "http://127.0.0.1", "127.0.0.1:4222", "nats://127.0.0.1/path"])(
  "%j is no bus",
  (url) => {
    expect(() => read(url)).toThrow("expected the address of a NATS server");
  },
);
