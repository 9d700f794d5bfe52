import type { AttackResult } from "../result/attack.ts";
import type { Warning } from "../result/reasons.ts";
import type { ScenarioNews } from "./scenario-board.ts";
import type { WholeSecond } from "./whole-seconds.ts";

/** What happens in an attack. */
export type AttackEvent =
  | { readonly kind: "command"; readonly when: "before" | "after"; readonly command: string }
  | {
      readonly kind: "connecting";
      readonly requested: number;
      readonly opened: number;
      readonly failed: number;
    }
  | {
      readonly kind: "connected";
      readonly requested: number;
      readonly opened: number;
      readonly failed: number;
    }
  | {
      readonly kind: "load";
      readonly elapsedMs: number;
      readonly totalMs: number;
      readonly sent: number;
      readonly answered: number;
      /** Of the last second that is known. */
      readonly answeredPerSecond: number;
      /** Replies that are owed now. */
      readonly unanswered: number;
      /** Connections that are open now. */
      readonly open: number;
      readonly p50Us: number | null;
      readonly p99Us: number | null;
      readonly errors: number;
    }
  /** Each second of the load, once, in order; those without an event too. The last may be shorter. */
  | (WholeSecond & {
      readonly kind: "second";
      /** Since the second before; found as this one is told. */
      readonly errors: number;
      /** Connections that are open then. */
      readonly open: number;
      /** Found as `errors` are; absent without a scenario. */
      readonly scenario?: ScenarioNews;
      /** Replies that are owed then, for all that was sent so far. */
      readonly unanswered: number;
    })
  | { readonly kind: "warning"; readonly warning: Warning }
  | { readonly kind: "ended"; readonly result: AttackResult };
