import { expect, test } from "bun:test";
import { hideSecretOptions, hideSecrets } from "./secrets.ts";

test.each([
  ["ws://a.test/?token=abc&room=1", "ws://a.test/?token=…&room=1"],
  ["wss://a.test/x?v=2&access_token=a.b-c%20d#end", "wss://a.test/x?v=2&access_token=…#end"],
  ["/socket?apiKey=1&api_key=2&X-Auth=3&vsn=2.0.0", "/socket?apiKey=…&api_key=…&X-Auth=…&vsn=2.0.0"],
  ["ws://me:hush@a.test/", "ws://…@a.test/"],
  ["ws://a.test/?monkey=1&keyboard=2&encode=3", "ws://a.test/?monkey=1&keyboard=2&encode=3"],
  ['{"token":"a\\"b","room": "x"}', '{"token":"…","room": "x"}'],
  ["got ws://a.test/?sig=x, expected another", "got ws://a.test/?sig=… expected another"],
])("%s", (text, hidden) => {
  expect(hideSecrets(text)).toBe(hidden);
});

test("options by their names", () => {
  expect(
    hideSecretOptions({ auth: '{"a":"b"}', password: "x", params: '{"api_key": "x"}', event: "say" }),
  ).toEqual({
    auth: "…",
    password: "…",
    params: '{"api_key": "…"}',
    event: "say",
  });
});
