import type { Compression, DirectionTerms } from "../websocket/compression/agreement.ts";
import type { Inflater } from "../websocket/compression/codec.ts";
import { createDeflate, createInflater } from "../websocket/compression/create-codec.ts";
import { FrameDeflater } from "../websocket/compression/frame-deflater.ts";

/** What one connection compresses and inflates with. */
export interface Codec {
  readonly agreed: Compression;
  readonly inflater: Inflater;
  readonly deflater: FrameDeflater;
}

/** Of all connections of this process on which compression was agreed to, since it began. */
export interface CompressionBytes {
  /** Payload of messages before their compression. */
  sentPayloadBytes: number;
  /** All that went into TCP, or TLS, behind the handshake: frames with their headers, control frames too. */
  sentWireBytes: number;
  receivedPayloadBytes: number;
  receivedWireBytes: number;
}

/** Counted by connections; a process is one worker. */
export const compressionBytes: CompressionBytes = {
  sentPayloadBytes: 0,
  sentWireBytes: 0,
  receivedPayloadBytes: 0,
  receivedWireBytes: 0,
};

/** What was counted since `before`, a copy of the counts of then. */
export function bytesSince(before: CompressionBytes): CompressionBytes {
  const now = compressionBytes;
  return {
    sentPayloadBytes: now.sentPayloadBytes - before.sentPayloadBytes,
    sentWireBytes: now.sentWireBytes - before.sentWireBytes,
    receivedPayloadBytes: now.receivedPayloadBytes - before.receivedPayloadBytes,
    receivedWireBytes: now.receivedWireBytes - before.receivedWireBytes,
  };
}

/** A side that takes nothing over is begun anew for each message, so all connections can share one, by window bits. */
const sharedInflaters = new Map<number, Inflater>();
const sharedDeflaters = new Map<number, FrameDeflater>();

/** @param maxMessageBytes the longest message to inflate; the same for all connections of a process */
export function openCodec(agreed: Compression, maxMessageBytes: number): Codec {
  const { server, client } = agreed;
  return {
    agreed,
    inflater: forDirection(server, sharedInflaters, () => createInflater(server, maxMessageBytes)),
    deflater: forDirection(client, sharedDeflaters, () => new FrameDeflater(createDeflate(client))),
  };
}

/** Gives back what the connection had for itself. */
export function closeCodec({ agreed, inflater, deflater }: Codec): void {
  if (agreed.server.takeover) inflater.close();
  if (agreed.client.takeover) deflater.close();
}

function forDirection<T>(
  { takeover, windowBits }: DirectionTerms,
  shared: Map<number, T>,
  create: () => T,
): T {
  if (takeover) return create();
  const one = shared.get(windowBits) ?? create();
  shared.set(windowBits, one);
  return one;
}
