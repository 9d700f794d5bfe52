/** As many as two hex digits of a message's stamp can tell apart; 0 is left out. */
export const phaseNumbers = 255;

/**
 * The number of the phase that comes after `phase` on the same connections; 0 stands for none before. It wraps: what
 * arrives 255 phases late counts as in time.
 */
export function nextPhaseNumber(phase: number): number {
  return (phase % phaseNumbers) + 1;
}
