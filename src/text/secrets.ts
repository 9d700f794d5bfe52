/** Words that what opens doors goes by, whatever else is in the name. */
const secretWords =
  /(?:^|[-_.])(?:token|secret|password|passwd|pwd|pass|auth|authorization|apikey|key|jwt|signature|sig|credentials?|session|sid|ticket|code)$/;

/** Whether a parameter of that name opens doors: `token`, `access_token`, `apiKey`. */
export function isSecretName(name: string): boolean {
  const words = name.replace(/([a-z])([A-Z])/g, "$1-$2").toLowerCase();
  return secretWords.test(words);
}

/** `…` for secrets in a URL's query or in JSON by their names, and for a user's name in a URL. */
export function hideSecrets(text: string): string {
  return text
    .replace(/(\w:\/\/)[^/?#@\s]*@/g, "$1…@")
    .replace(/([?&;])([^=?&;#\s]+)=([^&;#\s]*)/g, (whole, sign: string, name: string) =>
      isSecretName(name) ? `${sign}${name}=…` : whole,
    )
    .replace(/"([^"\\]+)"(\s*:\s*)"(?:[^"\\]|\\.)*"/g, (whole, name: string, colon: string) =>
      isSecretName(name) ? `"${name}"${colon}"…"` : whole,
    );
}

/** Options by their names, the same way. */
export function hideSecretOptions(options: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, isSecretName(name) ? "…" : hideSecrets(value)]),
  );
}
