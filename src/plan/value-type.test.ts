import { expect, test } from "bun:test";
import { httpUrl, listenAddress } from "./value-type.ts";

test.each([
  ["9464", { host: "127.0.0.1", port: 9464 }],
  ["127.0.0.1:0", { host: "127.0.0.1", port: 0 }],
  ["0.0.0.0:9464", { host: "0.0.0.0", port: 9464 }],
  ["[::1]:9464", { host: "::1", port: 9464 }],
  ["localhost:9464", { host: "localhost", port: 9464 }],
])("%s is where to listen: loopback unless another address is named", (text, value) => {
  const type = listenAddress();
  expect(type.read(text)).toEqual({ value });
  expect(type.read(type.write(value))).toEqual({ value });
});

test.each(["", "65536", "host", "::1:9464", "http://127.0.0.1:9464", "127.0.0.1:x", ":9464", "1 2:3"])(
  "%p is nowhere to listen",
  (text) => {
    expect(listenAddress().read(text)).toHaveProperty("expected");
  },
);

test("an address for HTTP has no secret", () => {
  expect(httpUrl().read("http://127.0.0.1:4318")).toEqual({ value: "http://127.0.0.1:4318" });
  for (const text of ["ws://127.0.0.1", "127.0.0.1:4318", "", "http://me:secret@127.0.0.1:4318"]) {
    expect(httpUrl().read(text)).toHaveProperty("expected");
  }
});
