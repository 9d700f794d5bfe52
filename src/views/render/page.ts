import { inlineText } from "../../text/inline.ts" with { type: "macro" };
import { html, type Markup } from "./markup.ts";

const pageStyle = inlineText("views/render/style.css");

interface PageParts {
  readonly title: string;
  readonly body: Markup;
  /** Of the live page alone, which may also ask the server that it came from. */
  readonly script?: string;
}

/** A whole page that needs nothing from anywhere: its policy forbids it to ask. */
export function renderPage({ title, body, script }: PageParts): string {
  const policy = [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    ...(script === undefined ? [] : [`script-src 'sha256-${digestOf(script)}'`, "connect-src 'self'"]),
  ].join("; ");
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}">
<style>${{ markup: pageStyle }}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
${body}
${script === undefined ? null : { markup: `<script>${script}</script>` }}
</body>
</html>
`;
  return page.markup;
}

function digestOf(script: string): string {
  return new Bun.CryptoHasher("sha256").update(script).digest("base64");
}

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1d4ed8"/><path d="M7 11h18M7 16h12M7 21h7" stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>';
