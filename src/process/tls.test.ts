import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Authority } from "../../test/support/certificates.ts";
import { bunTls, readTlsTrust } from "./tls.ts";

const authority = new Authority();
const { folder, own } = authority;
const client = authority.issue("client", "DNS:client.test");
afterAll(() => authority.remove());

const write = (name: string, text: string) => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

test("files are read, from the folder that paths are relative to", () => {
  const given = { ca: basename(own.certFile), cert: client.certFile, key: client.keyFile };
  const trust = readTlsTrust(given, folder);
  expect(trust).toEqual({ ca: own.cert, cert: client.cert, key: client.key, verify: true });
  expect(bunTls({ ...trust, serverName: "localhost" })).toMatchObject({ serverName: "localhost" });
  expect(readTlsTrust({ insecure: true }, folder)).toEqual({
    ca: null,
    cert: null,
    key: null,
    verify: false,
  });
});

test("several authorities may stand in one file", () => {
  const ca = write("two.pem", `${own.cert}\n${client.cert}`);
  expect(readTlsTrust({ ca }, folder).ca).toContain(client.cert);
});

const locked = () => {
  const file = join(folder, "locked.key");
  Bun.spawnSync(["openssl", "ec", "-in", client.keyFile, "-aes256", "-passout", "pass:secret", "-out", file]);
  return file;
};

test.each([
  [{ ca: "none.pem" }, /^--ca none\.pem: ENOENT/],
  [{ ca: write("empty.pem", "") }, /--ca .*: it holds no certificate/],
  [
    { ca: write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") },
    /^--ca .*broken\.pem: /,
  ],
  [{ cert: client.certFile }, /^--cert without --key/],
  [{ key: client.keyFile }, /^--key without --cert/],
  [{ cert: client.certFile, key: own.keyFile }, /^--key .*: it isn't the key of --cert/],
  [{ cert: client.certFile, key: client.certFile }, /^--key .*client\.pem: /],
  [{ cert: client.certFile, key: locked() }, /^--key .*locked\.key: /],
])("%j is refused", (options, says) => {
  expect(() => readTlsTrust(options, folder)).toThrow(says);
});
