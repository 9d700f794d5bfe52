import { expect, test } from "bun:test";
import { html } from "./markup.ts";

test("text is escaped, markup is not, lists are joined and null is nothing", () => {
  const inner = html`<b>${"<i>"}</b>`;
  expect(html`<p title="${`"'&<>`}">${[inner, "a", 1, null]}</p>`.markup).toBe(
    '<p title="&quot;&#39;&amp;&lt;&gt;"><b>&lt;i&gt;</b>a1</p>',
  );
});
