import { Histogram, type SparseHistogram } from "../stats/histogram.ts";
import type { SecondReport } from "./worker-protocol.ts";

/** Shorter silences are everyday life. */
const leastSilenceUs = 50_000;
/** In a phase of a day a slow server would make a million of them: past so many, only longer ones are kept. */
const mostSilences = 4096;
/** Receivers' times are kept of so many broadcasts: each takes a histogram, which must be told after each slice. */
const mostTrackedBroadcasts = 16;

/**
 * What a worker measures in one phase: histograms and counters, and the same per second of arrival, so that
 * workers merge by time and not by when their reports came in. All times are microseconds on the run's epoch.
 */
export class Recorder {
  readonly uncorrected = new Histogram();
  readonly sendLag = new Histogram();
  /** By two machines' clocks, and in no other histogram. */
  readonly oneWay = new Histogram();
  /** In order, without overlaps. */
  silences: [number, number][] = [];
  firstSendUs = 0;
  lastSendUs = 0;
  lastArrivalUs = 0;
  lastDeliveryUs = 0;
  sent = 0;
  delivered = 0;
  #startUs = 0;
  readonly #latency = new Histogram();
  readonly #receivers: Histogram[];
  /** Of so many broadcasts one is tracked. */
  readonly #stretch: number;
  #leastSilenceUs = leastSilenceUs;
  #second = 0;
  #secondEndUs = Number.POSITIVE_INFINITY;
  #secondSent = 0;
  #secondDelivered = 0;
  #closedSeconds: SecondReport[] = [];

  /** @param broadcasts of which a sample's receivers are told apart; 0 for none. */
  constructor(broadcasts: number) {
    this.#stretch = Math.max(1, Math.ceil(broadcasts / mostTrackedBroadcasts));
    const tracked = Math.ceil(broadcasts / this.#stretch);
    this.#receivers = Array.from({ length: tracked }, () => new Histogram());
  }

  /** Before anything is recorded. */
  begin(startUs: number): void {
    this.#startUs = startUs;
    this.#secondEndUs = startUs + 1e6;
  }

  recordSend(nowUs: number, lagUs: number): void {
    if (nowUs >= this.#secondEndUs) this.#turnSecond(nowUs);
    if (this.firstSendUs === 0) this.firstSendUs = nowUs;
    this.lastSendUs = nowUs;
    this.sent += 1;
    this.#secondSent += 1;
    this.sendLag.record(lagUs);
  }

  /** @param broadcast the message's number over all senders, or -1 where none is tracked. */
  recordDelivery(nowUs: number, atUs: number, lagUs: number, broadcast: number): void {
    if (nowUs >= this.#secondEndUs) this.#turnSecond(nowUs);
    const latencyUs = nowUs - atUs;
    // Owed since it was sent, or since the last arrival if that came later.
    const owedSinceUs = Math.max(this.lastDeliveryUs, atUs + lagUs);
    if (nowUs - owedSinceUs >= this.#leastSilenceUs) this.#noteSilence(owedSinceUs, nowUs);
    this.lastDeliveryUs = nowUs;
    this.delivered += 1;
    this.#secondDelivered += 1;
    this.#latency.record(latencyUs);
    this.uncorrected.record(latencyUs - lagUs);
    if (broadcast >= 0) this.#receiversOf(broadcast)?.record(latencyUs);
  }

  /** As `recordDelivery`, of what another machine sent. */
  recordOneWay(nowUs: number, atUs: number): void {
    if (nowUs >= this.#secondEndUs) this.#turnSecond(nowUs);
    this.lastDeliveryUs = nowUs;
    this.delivered += 1;
    this.#secondDelivered += 1;
    this.oneWay.record(nowUs - atUs);
  }

  /**
   * One of each stretch is tracked, the first of the first, the second of the second and so on: always the same place
   * would mean the same sender wherever their number divides a stretch.
   */
  #receiversOf(broadcast: number): Histogram | undefined {
    const stretch = Math.floor(broadcast / this.#stretch);
    return broadcast % this.#stretch === stretch % this.#stretch ? this.#receivers[stretch] : undefined;
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

  #noteSilence(fromUs: number, toUs: number): void {
    this.silences.push([fromUs, toUs]);
    while (this.silences.length > mostSilences) {
      this.#leastSilenceUs *= 2;
      this.silences = this.silences.filter(([from, to]) => to - from >= this.#leastSilenceUs);
    }
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
