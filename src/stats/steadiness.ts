import { median } from "./intervals.ts";

/** Two in each third. */
const fewestWindows = 6;
const mostGrowth = 1.05;
/** A look is worth it only with so many more windows: who looks at noise often enough sees what he waits for. */
const moreWindows = 4 / 3;
const steadyLooks = 2;
/** Without any, noise of 20 % in a window keeps who is steady twice as long, and none that rises is missed. */
const allowedErrors = 0.5;
/** Of normal noise: a median's standard error over that of the mean, and a deviation over the median of its absolutes. */
const medianErrors = 1.2533;
const medianToDeviation = 1.4826;

/**
 * Whether something that gets faster has come to its rate. What is watched is cut into thirds: steady is who is no more
 * than 5 % and half a standard error faster in the newest third than in the one before, at two looks in a row. Thirds grow with the time that is
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

  /** What the last look of all has to do with: that nothing gets faster any more, as far as its noise lets it be seen. */
  hasSlowed(): boolean {
    const third = Math.floor(this.#windows.length / 3);
    if (this.#windows.length < fewestWindows) return false;
    const [first = []] = this.#windows;
    return first.every((_, at) => {
      const logs = this.#windows.slice(-2 * third).map((rates) => Math.log(rates[at] ?? 0));
      const growth = median(logs.slice(third)) - median(logs.slice(0, third));
      return (
        growth <= Math.log(mostGrowth) + allowedErrors * medianErrors * noiseOf(logs) * Math.sqrt(2 / third)
      );
    });
  }
}

/** The standard deviation of single values about a line that may rise, by the typical step from one to the next. */
function noiseOf(values: readonly number[]): number {
  const steps = values.slice(1).map((value, at) => Math.abs(value - (values[at] ?? value)));
  return (medianToDeviation * median(steps)) / Math.SQRT2;
}
