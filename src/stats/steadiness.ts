import { median } from "./intervals.ts";

/** Two in each third. */
const fewestWindows = 6;
const mostGrowth = 1.03;
/** A look is worth it only with so many more windows: who looks at noise often enough sees what he waits for. */
const moreWindows = 4 / 3;
const steadyLooks = 2;

/**
 * Whether something that gets faster has come to its rate. What is watched is cut into thirds: steady is who is no more
 * than 3 % faster in the newest third than in the one before, at two looks in a row. Thirds grow with the time that is
 * watched, so that a compiler that needs a second is seen as well as one that needs ten, and noise, whose medians come
 * together, can't go on for ever.
 */
export class SteadinessWatch {
  readonly #windows: (readonly number[])[] = [];
  #nextLook = fewestWindows;
  #steadyLooks = 0;

  /** @param rates of windows of about equal length, one for each thing that is watched, always in the same order */
  note(rates: readonly number[]): void {
    this.#windows.push(rates);
  }

  /** To be asked after each window. */
  isSteady(): boolean {
    if (this.#windows.length < this.#nextLook) return false;
    this.#nextLook = Math.ceil(this.#windows.length * moreWindows);
    this.#steadyLooks = this.hasSlowed() ? this.#steadyLooks + 1 : 0;
    return this.#steadyLooks >= steadyLooks;
  }

  /** What the last look of all has to do with: that nothing gets faster by more than a few per cent any more. */
  hasSlowed(): boolean {
    const third = Math.floor(this.#windows.length / 3);
    if (this.#windows.length < fewestWindows) return false;
    const newest = this.#windows.slice(-third);
    const before = this.#windows.slice(-2 * third, -third);
    const [first = []] = this.#windows;
    return first.every((_, at) => {
      const typical = (windows: typeof newest) => median(windows.map((rates) => rates[at] ?? 0));
      return typical(newest) <= typical(before) * mostGrowth;
    });
  }
}
