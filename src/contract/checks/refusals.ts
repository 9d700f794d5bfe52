import { createKey, hostHeader, upgradeHeaders } from "../../websocket/handshake.ts";
import { BrokenRule, type Check, type CheckContext, required, strict } from "../check.ts";
import { expectAlive, expectStatus, isClientError } from "../expectations.ts";
import { handshakeRequest, isResponse, type ResponseHead, request, type Target } from "../http.ts";

async function expectRefusal(
  context: CheckContext,
  bytes: Uint8Array,
  expected = "a 4xx status",
  isRefusal = isClientError,
): Promise<ResponseHead> {
  const connection = await context.dial();
  connection.send(bytes);
  return expectStatus(connection, expected, isRefusal);
}

/** The body of a check: each of the requests gets a 4xx. */
const allRefused = (requests: (target: Target) => readonly Uint8Array[]) => ({
  run: async (context: CheckContext) => {
    for (const bytes of requests(context.target)) await expectRefusal(context, bytes);
  },
});

/** A request that asks for no upgrade. */
const plainRequest = (target: Target, path = target.path) => request(path, { Host: hostHeader(target) });

/** Handshakes and requests that must not become connections. */
export const refusalChecks: readonly Check[] = [
  required("handshake.bad-version", "RFC 6455 4.2.1 (6), 4.4", {
    rule: "A version other than 13 is refused with 426 or 400.",
    nextStep: "Compare Sec-WebSocket-Version with 13 before upgrading.",
    run: async (context) => {
      const isRefusal = (status: number) => status === 426 || status === 400;
      for (const version of ["12", "14", "0", "thirteen"]) {
        const bytes = handshakeRequest(context.target, { "Sec-WebSocket-Version": version });
        await expectRefusal(context, bytes, `426 or 400 for version ${version}`, isRefusal);
      }
    },
  }),
  strict("handshake.bad-version-names-13", "RFC 6455 4.2.2 (4), 4.4", {
    rule: "The refusal of another version names version 13.",
    nextStep: "Add Sec-WebSocket-Version: 13 to the 426 (or 400) answer.",
    run: async (context) => {
      const bytes = handshakeRequest(context.target, { "Sec-WebSocket-Version": "12" });
      const versions = (await expectRefusal(context, bytes)).headers.get("sec-websocket-version") ?? "";
      if (!versions.split(",").some((version) => version.trim() === "13"))
        throw new BrokenRule("Sec-WebSocket-Version: 13 in the refusal", versions || "no such header");
    },
  }),
  strict("handshake.missing-version", "RFC 6455 4.2.1 (6)", {
    rule: "A handshake without a version is refused with a 4xx.",
    nextStep: "Treat a missing Sec-WebSocket-Version like a wrong one.",
    ...allRefused((target) => [handshakeRequest(target, { "Sec-WebSocket-Version": undefined })]),
  }),
  required("handshake.missing-key", "RFC 6455 4.2.1 (5)", {
    rule: "A handshake without a key is refused with a 4xx.",
    nextStep: "Answer 400 when Sec-WebSocket-Key is missing.",
    ...allRefused((target) => [handshakeRequest(target, { "Sec-WebSocket-Key": undefined })]),
  }),
  strict("handshake.bad-key", "RFC 6455 4.2.1 (5)", {
    rule: "A key that is not the Base64 of 16 bytes is refused with a 4xx.",
    nextStep: "Accept only 22 Base64 characters followed by ==.",
    run: async (context) => {
      for (const key of ["short", "AAAA", "dGhlIHNhbXBsZSBub25jZXM=", "!!!!!!!!!!!!!!!!!!!!!!==", ""]) {
        const bytes = handshakeRequest(context.target, { "Sec-WebSocket-Key": key });
        await expectRefusal(context, bytes, `a 4xx status for the key "${key}"`);
      }
    },
  }),
  required("handshake.missing-upgrade", "RFC 6455 4.2.1 (3, 4), contract, endpoints", {
    rule: "A GET of the WebSocket endpoint without an upgrade gets a 4xx.",
    nextStep: "Upgrade only if Upgrade and Connection ask for it. Answer 426 or 400 otherwise.",
    ...allRefused((target) => [plainRequest(target)]),
  }),
  strict("handshake.half-asked", "RFC 6455 4.2.1 (3, 4)", {
    rule: "Upgrade without Connection, or the reverse, gets a 4xx.",
    nextStep: "Upgrade only if both headers ask for it. Answer 426 or 400 otherwise.",
    ...allRefused((target) => [
      handshakeRequest(target, { Upgrade: undefined }),
      handshakeRequest(target, { Connection: "keep-alive" }),
    ]),
  }),
  strict("handshake.other-method", "RFC 6455 4.2.1 (1)", {
    rule: "Only GET upgrades; any other method gets a 4xx.",
    nextStep: "Answer 405 to any other method.",
    ...allRefused((target) => {
      const headers = { ...upgradeHeaders(target, createKey()), "Content-Length": "0" };
      return [request(target.path, headers, "POST")];
    }),
  }),
  required("handshake.wrong-path", "contract, endpoints", {
    rule: "Any other path gets a 4xx, with or without an upgrade, and the server survives.",
    nextStep: "Answer 404 to everything but the contract's endpoints.",
    run: async (context) => {
      for (const path of ["/", "/nope", "/wsx", "/stats/deeper"]) {
        await expectRefusal(context, handshakeRequest(context.target, {}, path));
        await expectRefusal(context, plainRequest(context.target, path));
      }
      await expectAlive(context);
    },
  }),
  required("handshake.not-http", "contract, endpoints (the server lives on)", {
    rule: "Bytes that are not HTTP, and clients that leave mid-request, do no harm.",
    nextStep: "Answer 400 or close. Catch socket errors so that they do not end the process.",
    run: async (context) => {
      const clientHello = Buffer.from("1603010200010001fc0303", "hex");
      for (const bytes of [clientHello, "\r\n\r\n\r\n", "GET\r\n\r\n"]) {
        const connection = await context.dial();
        connection.send(bytes);
        connection.end();
        const answer = await connection.response();
        if (isResponse(answer) && answer.status === 101) throw new BrokenRule("no upgrade", answer);
      }
      const half = handshakeRequest(context.target).subarray(0, 40);
      const [leaves, resets] = [await context.dial(), await context.dial()];
      leaves.send(half);
      leaves.end();
      resets.send(half);
      resets.reset();
      await expectAlive(context);
    },
  }),
];
