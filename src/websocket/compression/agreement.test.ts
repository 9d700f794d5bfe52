import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatOffer, readAgreement } from "./agreement.ts";

const plain = { takeover: false };
const browser = { takeover: true };

test("the offers are those of a client that keeps nothing, and of a browser", () => {
  expect(formatOffer(plain)).toBe(
    "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
  );
  expect(formatOffer(browser)).toBe("permessage-deflate; client_max_window_bits");
});

const noTakeover = { takeover: false, windowBits: 15 };
const takeover = { takeover: true, windowBits: 15 };

test.each([
  [plain, "permessage-deflate; server_no_context_takeover", noTakeover, noTakeover],
  [
    plain,
    "permessage-deflate;client_no_context_takeover ;server_no_context_takeover",
    noTakeover,
    noTakeover,
  ],
  [
    plain,
    "permessage-deflate; server_no_context_takeover; server_max_window_bits=10",
    { takeover: false, windowBits: 10 },
    noTakeover,
  ],
  [browser, "permessage-deflate", takeover, takeover],
  [browser, "permessage-deflate; client_no_context_takeover", takeover, noTakeover],
  [browser, "permessage-deflate; server_no_context_takeover", noTakeover, takeover],
  [
    browser,
    'permessage-deflate; client_max_window_bits="9"; server_max_window_bits = 8',
    { takeover: true, windowBits: 8 },
    { takeover: true, windowBits: 9 },
  ],
])("to %j the answer %s is an agreement", (offer, answer, server, client) => {
  expect(readAgreement(answer, offer)).toEqual({ server, client });
});

test.each([
  [null, "permessage-deflate", "unoffered-extension"],
  [plain, "x-webkit-deflate-frame", "unoffered-extension"],
  [plain, "Permessage-Deflate", "unoffered-extension"],
  [browser, "permessage-deflate, permessage-deflate", "unoffered-extension"],
  [browser, "permessage-deflate, permessage-bzip2", "unoffered-extension"],
  [browser, "", "malformed-extension"],
  [browser, "permessage-deflate;", "malformed-extension"],
  [browser, "permessage-deflate; =1", "malformed-extension"],
  [browser, 'permessage-deflate; server_max_window_bits="10', "malformed-extension"],
  [
    browser,
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    "malformed-extension",
  ],
  [browser, "permessage-deflate; level=9", "extension-parameter"],
  [browser, "permessage-deflate; server_no_context_takeover=1", "extension-parameter"],
  [browser, "permessage-deflate; server_max_window_bits", "extension-parameter"],
  [browser, "permessage-deflate; server_max_window_bits=7", "extension-parameter"],
  [browser, "permessage-deflate; server_max_window_bits=16", "extension-parameter"],
  [browser, "permessage-deflate; server_max_window_bits=010", "extension-parameter"],
  [browser, "permessage-deflate; client_max_window_bits", "extension-parameter"],
  [plain, "permessage-deflate; server_no_context_takeover; client_max_window_bits=10", "extension-parameter"],
  [browser, "permessage-deflate; client_max_window_bits=8", "client-window-bits-8"],
  [plain, "permessage-deflate", "server-context-takeover"],
  [plain, "permessage-deflate; client_no_context_takeover", "server-context-takeover"],
] as const)("to %j the answer %s breaks %s", (offer, answer, rule) => {
  expect(readAgreement(answer, offer)).toBe(rule);
});

test("no answer makes it throw", () => {
  const words = fc.constantFrom("permessage-deflate", "server_max_window_bits", "=", ";", ",", '"', "8", " ");
  fc.assert(
    fc.property(fc.array(words), fc.boolean(), (parts, isBrowser) => {
      readAgreement(parts.join(""), isBrowser ? browser : plain);
    }),
  );
});
