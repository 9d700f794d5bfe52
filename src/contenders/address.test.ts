import { expect, test } from "bun:test";
import { isShowdownError } from "../errors.ts";
import { formatUrl, isNear, readUrl, showUrl } from "./address.ts";

test.each([
  ["ws://127.0.0.1:9001/x?a=b", { host: "127.0.0.1", port: 9001, path: "/x?a=b", tls: null }],
  ["ws://example.test", { host: "example.test", port: 80, path: "/usual" }],
  ["wss://[::1]/ws", { host: "::1", port: 443, path: "/ws", tls: { serverName: "::1", verify: true } }],
])("%s is read", (text, address) => {
  expect(readUrl(text, undefined, "/usual")).toMatchObject(address);
});

test.each([
  ["http://a.test:8080/x?token=hush", "give ws://a.test:8080/x?token=…"],
  ["https://a.test/", "give wss://a.test/"],
  ["ws://me:hush@a.test/", "a server that wants one takes it as a header: Authorization: Basic …"],
  ["nowhere", undefined],
])("%s is refused, with what to do and without its secrets", (text, hint) => {
  let thrown: unknown = null;
  try {
    readUrl(text);
  } catch (error) {
    thrown = error;
  }
  if (!isShowdownError(thrown, "usage")) throw new Error(`not refused: ${thrown}`);
  expect(thrown.hint).toBe(hint);
  expect(`${thrown.message} ${thrown.hint}`).not.toContain("hush");
});

test("what is shown has no secrets, and nothing that a terminal would obey", () => {
  expect(formatUrl(readUrl("wss://a.test/x?token=hush&room=1"))).toBe("wss://a.test:443/x?token=…&room=1");
  expect(showUrl("ws://a.test/\x1b[31m?key=hush")).toBe("ws://a.test/\\x1b[31m?key=…");
});

test("near is this machine and networks that are nobody else's", () => {
  const near = [
    "127.0.0.1",
    "10.1.2.3",
    "172.31.0.1",
    "192.168.1.1",
    "169.254.1.1",
    "::1",
    "fd00::1",
    "fe80::1",
  ];
  expect(near.filter((address) => !isNear(address))).toEqual([]);
  expect(["8.8.8.8", "172.32.0.1", "192.169.0.1", "2001:db8::1"].filter(isNear)).toEqual([]);
});
