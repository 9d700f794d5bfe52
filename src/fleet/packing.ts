/** Of text, per message: with what stands around it, below the megabyte that a NATS server takes. */
const partLength = 700_000;

/** As text for messages, each small enough. */
export function pack(bytes: Uint8Array<ArrayBuffer>): [string, ...string[]] {
  const text = Buffer.from(Bun.gzipSync(bytes)).toString("base64");
  const [first = "", ...others] = Array.from({ length: Math.ceil(text.length / partLength) }, (_, part) =>
    text.slice(part * partLength, (part + 1) * partLength),
  );
  return [first, ...others];
}

/** @throws {Error} for what is nothing that was packed */
export function unpack(parts: readonly string[]): Buffer {
  return Buffer.from(Bun.gunzipSync(Buffer.from(parts.join(""), "base64")));
}
