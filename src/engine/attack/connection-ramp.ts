import { type ConnectionStage, wantedAt } from "../../plan/attack/connection-stages.ts";
import { countOwn, type Share } from "../places.ts";

interface RampListener {
  /** By its place among the worker's own. */
  onWanted(place: number): void;
  onUnwanted(place: number): void;
  onStageEnded(): void;
}

/** Which of its connections a worker is to have open as stages go on: its first ones, so that the shares are exact. */
export class ConnectionRamp {
  readonly #stages: readonly ConnectionStage[];
  readonly #share: Share;
  readonly #listener: RampListener;
  #stage = 0;
  #stageStart = 0;
  #wanted: number;

  /** Connection 0 is open: the load begins with it. */
  constructor(stages: readonly ConnectionStage[], share: Share, listener: RampListener) {
    this.#stages = stages;
    this.#share = share;
    this.#listener = listener;
    this.#wanted = countOwn(share, 1);
  }

  get isOver(): boolean {
    return this.#stage >= this.#stages.length;
  }

  /** @param seconds since the load's start, more than 0; however late it comes, no turn of the stages is left out */
  advance(seconds: number): void {
    for (;;) {
      const stage = this.#stages[this.#stage];
      if (stage === undefined) return;
      const within = seconds - this.#stageStart;
      if (within < stage.seconds) {
        this.#goTo(wantedAt(stage, within));
        return;
      }
      this.#goTo(stage.to);
      this.#listener.onStageEnded();
      this.#stageStart += stage.seconds;
      this.#stage += 1;
    }
  }

  #goTo(all: number): void {
    const wanted = countOwn(this.#share, all);
    for (; this.#wanted < wanted; this.#wanted += 1) this.#listener.onWanted(this.#wanted);
    for (; this.#wanted > wanted; this.#wanted -= 1) this.#listener.onUnwanted(this.#wanted - 1);
  }
}
