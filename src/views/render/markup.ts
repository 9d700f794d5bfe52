/** Text that is HTML already. Made by `html` alone, so that whatever comes from files or servers is escaped on its way in. */
export interface Markup {
  readonly markup: string;
}

export type Content = Markup | string | number | null | readonly Content[];

/** A template whose values are text unless they are `Markup` themselves; `null` is nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return { markup: parts.reduce((text, part, index) => text + render(values[index - 1] ?? null) + part) };
}

function render(content: Content): string {
  if (content === null) return "";
  if (typeof content === "string" || typeof content === "number") return escapeHtml(String(content));
  return isList(content) ? content.map(render).join("") : content.markup;
}

function isList(content: Markup | readonly Content[]): content is readonly Content[] {
  return Array.isArray(content);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For text and for attributes in quotes. */
function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
