import type { Assets } from "./assets.ts";
import { escapeHtml, type Markup } from "./markup.ts";

export interface DocumentParts {
  readonly title: string;
  readonly body: Markup;
  readonly assets: Assets;
  /** The live page alone talks to anyone: to where it came from. */
  readonly connects?: boolean;
}

/** A whole page that needs nothing from anywhere: its policy forbids it to ask. */
export function renderDocument({ title, body, assets, connects = false }: DocumentParts): string {
  const digest = new Bun.CryptoHasher("sha256").update(assets.script).digest("base64");
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${digest}'`,
    // The charting library sets styles on its elements.
    "style-src 'unsafe-inline'",
    "img-src data:",
    `connect-src ${connects ? "'self'" : "'none'"}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}">
<style>${assets.style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
${body.markup}
<script>${assets.script}</script>
</body>
</html>
`;
}

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1d4ed8"/><path d="M7 11h18M7 16h12M7 21h7" stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>';
