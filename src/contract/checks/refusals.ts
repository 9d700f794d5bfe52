import { createKey, hostHeader, upgradeHeaders } from "../../websocket/handshake.ts";
import { BrokenRule, type Check, type CheckContext, isResponse } from "../check.ts";
import { expectAlive, expectStatus, isClientError } from "../expectations.ts";
import { handshakeRequest, type ResponseHead, request } from "../http.ts";

const clientError = "a 4xx status";

async function refused(context: CheckContext, bytes: Uint8Array): Promise<ResponseHead> {
  const connection = await context.dial();
  connection.send(bytes);
  return expectStatus(connection, clientError, isClientError);
}

/** Handshakes and requests that must not become connections. */
export const refusalChecks: readonly Check[] = [
  {
    id: "handshake.bad-version",
    rule: "A version other than 13 is refused with 426 or 400.",
    reference: "RFC 6455 4.2.1 (6), 4.4",
    grade: "required",
    nextStep: "Compare Sec-WebSocket-Version with 13 before upgrading.",
    run: async (context) => {
      for (const version of ["12", "14", "0", "thirteen"]) {
        const connection = await context.dial();
        connection.send(handshakeRequest(context.target, { "Sec-WebSocket-Version": version }));
        await expectStatus(
          connection,
          `426 or 400 for version ${version}`,
          (status) => status === 426 || status === 400,
        );
      }
    },
  },
  {
    id: "handshake.bad-version-names-13",
    rule: "The refusal of another version names version 13.",
    reference: "RFC 6455 4.2.2 (4), 4.4",
    grade: "strict",
    nextStep: "Add Sec-WebSocket-Version: 13 to the 426 (or 400) answer.",
    run: async (context) => {
      const { headers } = await refused(
        context,
        handshakeRequest(context.target, { "Sec-WebSocket-Version": "12" }),
      );
      const versions = headers.get("sec-websocket-version") ?? "";
      if (!versions.split(",").some((version) => version.trim() === "13"))
        throw new BrokenRule("Sec-WebSocket-Version: 13 in the refusal", versions || "no such header");
    },
  },
  {
    id: "handshake.missing-version",
    rule: "A handshake without a version is refused with a 4xx.",
    reference: "RFC 6455 4.2.1 (6)",
    grade: "strict",
    nextStep: "Treat a missing Sec-WebSocket-Version like a wrong one.",
    run: async (context) => {
      await refused(context, handshakeRequest(context.target, { "Sec-WebSocket-Version": undefined }));
    },
  },
  {
    id: "handshake.missing-key",
    rule: "A handshake without a key is refused with a 4xx.",
    reference: "RFC 6455 4.2.1 (5)",
    grade: "required",
    nextStep: "Answer 400 when Sec-WebSocket-Key is missing.",
    run: async (context) => {
      await refused(context, handshakeRequest(context.target, { "Sec-WebSocket-Key": undefined }));
    },
  },
  {
    id: "handshake.bad-key",
    rule: "A key that is not the Base64 of 16 bytes is refused with a 4xx.",
    reference: "RFC 6455 4.2.1 (5)",
    grade: "strict",
    nextStep: "Accept only 22 Base64 characters followed by ==.",
    run: async (context) => {
      for (const key of ["short", "AAAA", "dGhlIHNhbXBsZSBub25jZXM=", "!!!!!!!!!!!!!!!!!!!!!!==", ""]) {
        const connection = await context.dial();
        connection.send(handshakeRequest(context.target, { "Sec-WebSocket-Key": key }));
        await expectStatus(connection, `a 4xx status for the key "${key}"`, isClientError);
      }
    },
  },
  {
    id: "handshake.missing-upgrade",
    rule: "A GET of the WebSocket endpoint without an upgrade gets a 4xx.",
    reference: "RFC 6455 4.2.1 (3, 4), contract, endpoints",
    grade: "required",
    nextStep: "Upgrade only if Upgrade and Connection ask for it. Answer 426 or 400 otherwise.",
    run: async (context) => {
      const { target } = context;
      await refused(context, request(target.path, { Host: hostHeader(target) }));
    },
  },
  {
    id: "handshake.half-asked",
    rule: "Upgrade without Connection, or the reverse, gets a 4xx.",
    reference: "RFC 6455 4.2.1 (3, 4)",
    grade: "strict",
    nextStep: "Upgrade only if both headers ask for it. Answer 426 or 400 otherwise.",
    run: async (context) => {
      await refused(context, handshakeRequest(context.target, { Upgrade: undefined }));
      await refused(context, handshakeRequest(context.target, { Connection: "keep-alive" }));
    },
  },
  {
    id: "handshake.other-method",
    rule: "Only GET upgrades; any other method gets a 4xx.",
    reference: "RFC 6455 4.2.1 (1)",
    grade: "strict",
    nextStep: "Answer 405 to any other method.",
    run: async (context) => {
      const headers = { ...upgradeHeaders(context.target, createKey()), "Content-Length": "0" };
      await refused(context, request(context.target.path, headers, "POST"));
    },
  },
  {
    id: "handshake.wrong-path",
    rule: "Any other path gets a 4xx, with or without an upgrade, and the server survives.",
    reference: "contract, endpoints",
    grade: "required",
    nextStep: "Answer 404 to everything but the contract's endpoints.",
    run: async (context) => {
      for (const path of ["/", "/nope", "/wsx", "/stats/deeper"]) {
        await refused(context, handshakeRequest(context.target, {}, path));
        await refused(context, request(path, { Host: hostHeader(context.target) }));
      }
      await expectAlive(context);
    },
  },
  {
    id: "handshake.not-http",
    rule: "Bytes that are not HTTP, and clients that leave mid-request, do no harm.",
    reference: "contract, endpoints (the server lives on)",
    grade: "required",
    nextStep: "Answer 400 or close. Catch socket errors so that they do not end the process.",
    run: async (context) => {
      for (const bytes of [
        Buffer.from("1603010200010001fc0303", "hex"),
        Buffer.from("\r\n\r\n\r\n"),
        Buffer.from("GET\r\n\r\n"),
      ]) {
        const connection = await context.dial();
        connection.send(bytes);
        connection.end();
        const answer = await connection.response();
        if (isResponse(answer) && answer.status === 101) throw new BrokenRule("no upgrade", "status 101");
      }
      const half = handshakeRequest(context.target).subarray(0, 40);
      const leaves = await context.dial();
      leaves.send(half);
      leaves.end();
      const resets = await context.dial();
      resets.send(half);
      resets.reset();
      await expectAlive(context);
    },
  },
];
