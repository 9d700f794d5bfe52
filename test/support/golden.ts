import { expect } from "bun:test";
import { join } from "node:path";

const folder = join(import.meta.dir, "..", "golden");

/** Compares with the file in `test/golden`; with `UPDATE_GOLDEN=1` in the environment it writes the file instead. */
export async function expectGolden(name: string, text: string): Promise<void> {
  const file = Bun.file(join(folder, name));
  if (process.env.UPDATE_GOLDEN === "1") {
    await Bun.write(file, text);
    return;
  }
  const golden = (await file.exists())
    ? await file.text()
    : "(no such file; UPDATE_GOLDEN=1 bun test writes it)\n";
  expect(text).toBe(golden);
}
