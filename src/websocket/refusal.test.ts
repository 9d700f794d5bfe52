import { expect, test } from "bun:test";
import { mostBodyBytes, readRefusal } from "./refusal.ts";

function read(...lines: readonly string[]) {
  return readRefusal(Buffer.from(lines.join("\r\n")));
}

test("a body of a known length is whole when it has come", () => {
  const head = ["HTTP/1.1 503 Busy", "Content-Length: 9", "Location: ws://x/", ""];
  expect(read(...head, "try la")).toEqual({
    status: 503,
    location: "ws://x/",
    body: "try la",
    isWhole: false,
  });
  expect(read(...head, "try later")).toMatchObject({ body: "try later", isWhole: true });
});

test("chunks are put together, and the last one ends them", () => {
  const head = ["HTTP/1.1 403 No", "transfer-encoding: chunked", ""];
  expect(read(...head, "4;x=y", "deni", "2", "ed")).toMatchObject({ body: "denied", isWhole: false });
  expect(read(...head, "4", "deni", "2", "ed", "0", "", "")).toMatchObject({ body: "denied", isWhole: true });
});

test("without a length it ends with its connection, but no more is kept than tells why", () => {
  expect(read("HTTP/1.1 401 No", "", "who?")).toMatchObject({ body: "who?", isWhole: false });
  const long = read("HTTP/1.1 401 No", "", "x".repeat(5000));
  expect([long.body.length, long.isWhole]).toEqual([mostBodyBytes, true]);
});
