import { expect, test } from "bun:test";
import { readUrl } from "../contenders/address.ts";
import { isShowdownError } from "../errors.ts";
import { resolveTarget } from "./target.ts";

test("an address is taken as it is", async () => {
  expect(await resolveTarget(readUrl("ws://[::1]:8080/ws?a=b"))).toEqual({
    ...{ host: "::1", port: 8080, path: "/ws?a=b", tls: null, headers: {}, compression: null },
  });
});

test("a name is looked up, and stands in Host and in TLS as it was given", async () => {
  const target = await resolveTarget(readUrl("wss://localhost/ws"));
  expect(["127.0.0.1", "::1"]).toContain(target.host);
  expect(target).toMatchObject({
    port: 443,
    tls: { serverName: "localhost" },
    headers: { Host: "localhost" },
  });
  const other = await resolveTarget(readUrl("wss://localhost:8443/ws"));
  expect(other.headers).toEqual({ Host: "localhost:8443" });
});

test("of several addresses the one that accepts connections is taken", async () => {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  try {
    const target = await resolveTarget(readUrl(`ws://localhost:${listener.port}/`));
    expect(target.host).toBe("127.0.0.1");
  } finally {
    listener.stop(true);
  }
});

test("a name without an address is told", async () => {
  const error = await resolveTarget(readUrl("ws://nobody.invalid/ws")).catch((thrown: unknown) => thrown);
  expect(isShowdownError(error, "contenderFailed")).toBe(true);
  expect(String(error)).toContain("nobody.invalid: no address is known by that name");
});
