import { Histogram, type SparseHistogram } from "../stats/histogram.ts";
import type { SecondReport } from "./worker-protocol.ts";

/** Shorter silences are everyday life. */
const leastSilenceUs = 50_000;
/** Receiver times are kept per message for bursts of at most this many broadcasts: each takes a histogram. */
const mostTrackedBroadcasts = 64;

/**
 * What a worker measures in one phase: histograms and counters, and the same per second of arrival, so that
 * workers merge by time and not by when their reports came in. All times are microseconds on the run's epoch.
 */
export class Recorder {
  readonly uncorrected = new Histogram();
  readonly sendLag = new Histogram();
  readonly silences: [number, number][] = [];
  firstSendUs = 0;
  lastSendUs = 0;
  lastArrivalUs = 0;
  lastDeliveryUs = 0;
  sent = 0;
  delivered = 0;
  readonly #startUs: number;
  readonly #latency = new Histogram();
  readonly #receivers: Histogram[];
  #second = 0;
  #secondEndUs: number;
  #secondSent = 0;
  #secondDelivered = 0;
  #closedSeconds: SecondReport[] = [];

  /** @param broadcasts whose receivers are told apart; 0 for none. */
  constructor(startUs: number, broadcasts: number) {
    this.#startUs = startUs;
    this.#secondEndUs = startUs + 1e6;
    const tracked = broadcasts <= mostTrackedBroadcasts ? broadcasts : 0;
    this.#receivers = Array.from({ length: tracked }, () => new Histogram());
  }

  recordSend(nowUs: number, lagUs: number): void {
    if (nowUs >= this.#secondEndUs) this.#turnSecond(nowUs);
    if (this.firstSendUs === 0) this.firstSendUs = nowUs;
    this.lastSendUs = nowUs;
    this.sent += 1;
    this.#secondSent += 1;
    this.sendLag.record(lagUs);
  }

  /** @param broadcast the message's number among those tracked, or -1. */
  recordDelivery(nowUs: number, atUs: number, lagUs: number, broadcast: number): void {
    if (nowUs >= this.#secondEndUs) this.#turnSecond(nowUs);
    const latencyUs = nowUs - atUs;
    // Owed since it was sent, or since the last arrival if that came later.
    const owedSinceUs = Math.max(this.lastDeliveryUs, atUs + lagUs);
    if (nowUs - owedSinceUs >= leastSilenceUs) this.silences.push([owedSinceUs, nowUs]);
    this.lastDeliveryUs = nowUs;
    this.delivered += 1;
    this.#secondDelivered += 1;
    this.#latency.record(latencyUs);
    this.uncorrected.record(latencyUs - lagUs);
    if (broadcast >= 0) this.#receivers[broadcast]?.record(latencyUs);
  }

  /** Hands over the seconds that have ended; the current one too when `nowUs` is past the phase. */
  takeSeconds(nowUs: number, all: boolean): SecondReport[] {
    if (nowUs >= this.#secondEndUs || all) this.#turnSecond(nowUs);
    const seconds = this.#closedSeconds;
    this.#closedSeconds = [];
    return seconds;
  }

  receivers(): SparseHistogram[] {
    return this.#receivers.map((receiver) => receiver.toSparse());
  }

  #turnSecond(nowUs: number): void {
    if (this.#secondSent > 0 || this.#secondDelivered > 0) {
      this.#closedSeconds.push({
        second: this.#second,
        sent: this.#secondSent,
        delivered: this.#secondDelivered,
        latency: this.#latency.toSparse(),
      });
      this.#secondSent = 0;
      this.#secondDelivered = 0;
      this.#latency.reset();
    }
    this.#second = Math.max(0, Math.floor((nowUs - this.#startUs) / 1e6));
    this.#secondEndUs = this.#startUs + (this.#second + 1) * 1e6;
  }
}
