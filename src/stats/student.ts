/**
 * Share of Student's t distribution within `-t` and `t`, for whole degrees of freedom, by the finite sums of
 * Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.
 */
export function studentCentralShare(t: number, degreesOfFreedom: number): number {
  return centralShare(Math.atan(Math.abs(t) / Math.sqrt(degreesOfFreedom)), degreesOfFreedom);
}

/**
 * The t within which (`-t` to `t`) the given share of Student's distribution lies: 2.776 for 0.95 and 4.
 *
 * @param share above 0 and below 1
 * @param degreesOfFreedom a whole number from 1
 * @throws RangeError for anything else
 */
export function studentQuantile(share: number, degreesOfFreedom: number): number {
  if (!(share > 0 && share < 1)) throw new RangeError(`share ${share}: expected a number between 0 and 1`);
  if (!Number.isInteger(degreesOfFreedom) || degreesOfFreedom < 1) {
    throw new RangeError(`${degreesOfFreedom} degrees of freedom: expected a whole number from 1`);
  }
  // In the angle the search is bounded, however heavy the tails are.
  let low = 0;
  let high = Math.PI / 2;
  let angle = Math.PI / 4;
  for (let step = 0; step < 60; step++) {
    const beyond = centralShare(angle, degreesOfFreedom) - share;
    if (beyond < 0) low = angle;
    else high = angle;
    // Newton's step where it stays between what is known, else the middle.
    const newton =
      angle - beyond / ((2 * Math.cos(angle) ** (degreesOfFreedom - 1)) / circleWeight(degreesOfFreedom));
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - angle) < 1e-15) break;
    angle = next;
  }
  return Math.sqrt(degreesOfFreedom) * Math.tan(angle);
}

/** The integral of cos^(degreesOfFreedom - 1) over the half circle: of the density of the angle, up to scale. */
export function circleWeight(degreesOfFreedom: number): number {
  let weight = degreesOfFreedom % 2 === 1 ? Math.PI : 2;
  for (let power = degreesOfFreedom % 2 === 1 ? 2 : 3; power < degreesOfFreedom; power += 2) {
    weight *= (power - 1) / power;
  }
  return weight;
}

/** @param angle atan(t / sqrt(degreesOfFreedom)) */
function centralShare(angle: number, degreesOfFreedom: number): number {
  const cosine = Math.cos(angle);
  const odd = degreesOfFreedom % 2 === 1;
  let sum = 0;
  let term = odd ? cosine : 1;
  for (let power = odd ? 1 : 0; power <= degreesOfFreedom - 2; power += 2) {
    sum += term;
    term *= ((power + 1) / (power + 2)) * cosine * cosine;
  }
  return odd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
}
