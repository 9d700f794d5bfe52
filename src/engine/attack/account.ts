import { Recorder } from "../recorder.ts";
import type { Sample, StrayRule } from "./attack-orders.ts";
import { type Answer, answer, type Outstanding } from "./outstanding.ts";

/** Of messages that answer nothing, so many are kept, and so much of each. */
const mostSamples = 5;
const mostSampleBytes = 200;
/** Different reasons of an adapter's server; more are counted under the last. */
const mostReasons = 12;
const mostReasonLength = 200;

/** What one worker's load has come to so far. */
export class Account {
  readonly recorder = new Recorder(0);
  readonly samples: Sample[] = [];
  readonly rejections = new Map<string, number>();
  /** Of `unmatched`, what an adapter made nothing of. */
  readonly strays = new Map<StrayRule, number>();
  expected = 0;
  /** Of `expected` and of what was answered: not the replies. */
  expectedDeliveries = 0;
  deliveries = 0;
  /** Of the expected deliveries, those on other machines. */
  expectedOneWay = 0;
  unsent = 0;
  lostOnClosed = 0;
  duplicated = 0;
  reordered = 0;
  unmatched = 0;
  received = 0;
  bytesSent = 0;
  bytesReceived = 0;

  noteSent(nowUs: number, lagUs: number, bytes: number, owed: number): void {
    this.recorder.recordSend(nowUs, lagUs);
    this.bytesSent += bytes;
    this.expected += owed;
  }

  /** @returns whether it answers a message for the first time */
  noteAnswer(kind: Answer, outstanding: Outstanding, nowUs: number): boolean {
    if (kind === answer.duplicate) {
      this.duplicated += 1;
      return false;
    }
    if (kind === answer.reordered) this.reordered += 1;
    this.recorder.recordDelivery(nowUs, outstanding.atUs, outstanding.lagUs, -1);
    return true;
  }

  /** @param awaited the beginning of what was awaited, made only where it is kept */
  noteStray(
    bytes: Uint8Array,
    start: number,
    end: number,
    isText: boolean,
    awaited: () => string | null,
  ): void {
    this.unmatched += 1;
    if (this.samples.length >= mostSamples) return;
    const part = bytes.subarray(start, Math.min(end, start + mostSampleBytes));
    const text = isText ? new TextDecoder().decode(part) : Buffer.from(part).toString("hex");
    this.samples.push({ isText, text, bytes: end - start, awaited: awaited() });
  }

  /** What is reported of it at the end. */
  report() {
    const { recorder } = this;
    return {
      unsent: this.unsent,
      lostOnClosed: this.lostOnClosed,
      duplicated: this.duplicated,
      reordered: this.reordered,
      unmatched: this.unmatched,
      strays: [...this.strays].map(([rule, count]) => ({ rule, count })),
      expectedDeliveries: this.expectedDeliveries,
      deliveries: this.deliveries,
      oneWay: { expected: this.expectedOneWay, latency: recorder.oneWay.toSparse() },
      samples: this.samples,
      received: this.received,
      bytesSent: this.bytesSent,
      bytesReceived: this.bytesReceived,
      rejections: [...this.rejections].map(([reason, count]) => ({ reason, count })),
      firstSendUs: recorder.sent > 0 ? recorder.firstSendUs : null,
      lastSendUs: recorder.sent > 0 ? recorder.lastSendUs : null,
      lastDeliveryUs: recorder.delivered > 0 ? recorder.lastDeliveryUs : null,
      uncorrected: recorder.uncorrected.toSparse(),
      sendLag: recorder.sendLag.toSparse(),
    };
  }

  noteRejection(reason: string): void {
    const known = [...this.rejections.keys()];
    const key = reason.slice(0, mostReasonLength);
    const kept = this.rejections.has(key) || known.length < mostReasons ? key : (known.at(-1) as string);
    this.rejections.set(kept, (this.rejections.get(kept) ?? 0) + 1);
  }
}
