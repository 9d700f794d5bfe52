/**
 * The part of MQTT 3.1.1 and 5 that a load needs: control packets of a client that publishes with QoS 0 or 1
 * (https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/, https://docs.oasis-open.org/mqtt/mqtt/v5.0/, section 3 of both).
 */
export const packetType = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  subscribe: 8,
  suback: 9,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
} as const;

/** The protocol level of CONNECT. */
export const level = { "3.1.1": 4, "5": 5 } as const;
export type Level = (typeof level)[keyof typeof level];

/** More than any message of a load; the format allows 256 MiB. */
const mostPacketBytes = 8 << 20;

export interface PacketSink {
  /** @param flags the lower half of the first byte; `body` is only valid during the call */
  onPacket(type: number, flags: number, body: Uint8Array): void;
  onMalformed(what: string): void;
}

/** Finds packets in messages: several may be in one, and one in several (version 3.1.1, section 6). */
export class PacketReader {
  readonly #sink: PacketSink;
  /** The beginning of a packet whose rest is still to come. */
  #rest: Uint8Array | null = null;
  #isBroken = false;

  constructor(sink: PacketSink) {
    this.#sink = sink;
  }

  /** After something malformed nothing more is read: nobody knows where the next packet begins. */
  push(message: Uint8Array): void {
    if (this.#isBroken) return;
    const bytes = this.#rest === null ? message : Buffer.concat([this.#rest, message]);
    this.#rest = null;
    let at = 0;
    while (at < bytes.length) {
      const end = this.#readOne(bytes, at);
      if (end === null) break;
      at = end;
    }
    if (at < bytes.length && !this.#isBroken) this.#rest = bytes.slice(at);
  }

  /** Returns where the packet that begins there ends; null where it isn't whole, or broken. */
  #readOne(bytes: Uint8Array, at: number): number | null {
    const first = bytes[at] as number;
    let start = at + 1;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      if (shift > 21) return this.#break("a length of more than four bytes");
      if (start === bytes.length) return null;
      const digit = bytes[start] as number;
      start += 1;
      length |= (digit & 127) << shift;
      if (digit < 128) break;
    }
    if (length > mostPacketBytes) return this.#break(`a packet of ${length} bytes`);
    const end = start + length;
    if (end > bytes.length) return null;
    this.#sink.onPacket(first >>> 4, first & 15, bytes.subarray(start, end));
    return end;
  }

  #break(what: string): null {
    this.#isBroken = true;
    this.#sink.onMalformed(what);
    return null;
  }
}

/** Reads a packet's fields one after another; beyond its end everything is missing. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** A field was not there, or was not what it must be. */
  isMalformed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at];
    this.#at += 1;
    if (value !== undefined) return value;
    this.isMalformed = true;
    return 0;
  }

  uint16(): number {
    return (this.byte() << 8) | this.byte();
  }

  uint32(): number {
    return ((this.uint16() << 16) | this.uint16()) >>> 0;
  }

  /** Version 5, section 1.5.5. */
  variableInteger(): number {
    let value = 0;
    for (let shift = 0; shift <= 21; shift += 7) {
      const digit = this.byte();
      value |= (digit & 127) << shift;
      if (digit < 128) return value;
    }
    this.isMalformed = true;
    return 0;
  }

  /** A part of the packet itself. */
  take(length: number): Uint8Array {
    const start = Math.min(this.#at, this.#bytes.length);
    this.#at = start + length;
    if (this.#at > this.#bytes.length) this.isMalformed = true;
    return this.#bytes.subarray(start, this.#at);
  }

  rest(): Uint8Array {
    return this.take(Math.max(0, this.#bytes.length - this.#at));
  }

  text(): string {
    const bytes = this.take(this.uint16());
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  }
}

/** Of version 5's properties (section 2.2.2), those that a load must know. */
export interface Properties {
  readonly reason: string | null;
  /** How many publications may wait for their PUBACK. */
  readonly receiveMaximum: number | null;
  readonly maximumQos: number | null;
  readonly serverKeepAliveSeconds: number | null;
}

const noProperties: Properties = {
  reason: null,
  receiveMaximum: null,
  maximumQos: null,
  serverKeepAliveSeconds: null,
};

type Shape = "byte" | "uint16" | "uint32" | "integer" | "text" | "pair";

/** What each property's value is (section 2.2.2.2). Binary data has the shape of a text. */
const shapes: ReadonlyMap<number, Shape> = new Map<number, Shape>([
  ...each("byte", 0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2a),
  ...each("uint16", 0x13, 0x21, 0x22, 0x23),
  ...each("uint32", 0x02, 0x11, 0x18, 0x27),
  ...each("integer", 0x0b),
  ...each("text", 0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1a, 0x1c, 0x1f),
  ...each("pair", 0x26),
]);

function each(shape: Shape, ...ids: number[]): [number, Shape][] {
  return ids.map((id) => [id, shape]);
}

/** Reads a list of properties; marks the packet malformed where there is an unknown one. */
export function readProperties(fields: FieldReader): Properties {
  const list = new FieldReader(fields.take(fields.variableInteger()));
  if (list.isAtEnd) return noProperties;
  let { reason, receiveMaximum, maximumQos, serverKeepAliveSeconds } = noProperties;
  while (!list.isAtEnd && !list.isMalformed) {
    const id = list.variableInteger();
    switch (shapes.get(id)) {
      case "byte": {
        const value = list.byte();
        if (id === 0x24) maximumQos = value;
        break;
      }
      case "uint16": {
        const value = list.uint16();
        if (id === 0x21) receiveMaximum = value;
        if (id === 0x13) serverKeepAliveSeconds = value;
        break;
      }
      case "uint32":
        list.uint32();
        break;
      case "integer":
        list.variableInteger();
        break;
      case "text": {
        const value = list.text();
        if (id === 0x1f) reason = value;
        break;
      }
      case "pair":
        list.text();
        list.text();
        break;
      case undefined:
        list.isMalformed = true;
    }
  }
  if (list.isMalformed) fields.isMalformed = true;
  return { reason, receiveMaximum, maximumQos, serverKeepAliveSeconds };
}

export interface Connect {
  readonly level: Level;
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
  readonly keepAliveSeconds: number;
}

/** Always with a clean session: nothing of an earlier load is wanted. */
export function writeConnect({ level, clientId, username, password, keepAliveSeconds }: Connect): Uint8Array {
  const flags = 0x02 | (username === "" ? 0 : 0x80) | (password === "" ? 0 : 0x40);
  return packet(packetType.connect << 4, [
    textField("MQTT"),
    Buffer.from([level, flags]),
    uint16Field(keepAliveSeconds),
    level === 5 ? Buffer.from([0]) : nothing,
    textField(clientId),
    username === "" ? nothing : textField(username),
    password === "" ? nothing : textField(password),
  ]);
}

/** @param noLocal version 5: the sender isn't given its own messages */
export function writeSubscribe(
  level: Level,
  packetId: number,
  topic: string,
  qos: number,
  noLocal: boolean,
): Uint8Array {
  return packet((packetType.subscribe << 4) | 2, [
    uint16Field(packetId),
    level === 5 ? Buffer.from([0]) : nothing,
    textField(topic),
    Buffer.from([qos | (noLocal ? 4 : 0)]),
  ]);
}

/** A topic as PUBLISH has it, made once for a connection. */
export function encodeTopic(topic: string): Uint8Array {
  return textField(topic);
}

/** @param packetId 0 for QoS 0, which has none */
export function writePublish(
  level: Level,
  topic: Uint8Array,
  packetId: number,
  payload: string | Uint8Array,
): Uint8Array {
  const qos = packetId === 0 ? 0 : 1;
  const payloadBytes = typeof payload === "string" ? Buffer.byteLength(payload) : payload.length;
  const length = topic.length + 2 * qos + (level === 5 ? 1 : 0) + payloadBytes;
  const bytes = Buffer.allocUnsafe(1 + lengthBytes(length) + length);
  bytes[0] = (packetType.publish << 4) | (qos << 1);
  let at = writeLength(bytes, 1, length);
  bytes.set(topic, at);
  at += topic.length;
  if (qos === 1) at = bytes.writeUInt16BE(packetId, at);
  if (level === 5) at = bytes.writeUInt8(0, at);
  if (typeof payload === "string") bytes.write(payload, at);
  else bytes.set(payload, at);
  return bytes;
}

export function writePuback(packetId: number): Uint8Array {
  return packet(packetType.puback << 4, [uint16Field(packetId)]);
}

export const pingreq: Uint8Array = Buffer.from([packetType.pingreq << 4, 0]);

const nothing = Buffer.alloc(0);

function packet(first: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(1 + lengthBytes(length));
  head[0] = first;
  writeLength(head, 1, length);
  return Buffer.concat([head, ...parts]);
}

function textField(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([uint16Field(bytes.length), bytes]);
}

function uint16Field(value: number): Buffer {
  return Buffer.from([value >>> 8, value & 255]);
}

function lengthBytes(length: number): number {
  return length < 128 ? 1 : length < 16_384 ? 2 : length < 2_097_152 ? 3 : 4;
}

/** Version 3.1.1, section 2.2.3; returns where it ends. */
function writeLength(bytes: Uint8Array, start: number, length: number): number {
  let at = start;
  let left = length;
  while (left > 127) {
    bytes[at++] = (left & 127) | 128;
    left >>>= 7;
  }
  bytes[at++] = left;
  return at;
}
