import { roomOf } from "../../places.ts";
import { roomName, roomNumber } from "../chaos-chat/chat-shape.ts";
import { encodeKeys, type MessageShape } from "../chaos-chat/message-format.ts";
import { MessageReader } from "../chaos-chat/message-reader.ts";
import { MessageWriter } from "../chaos-chat/message-writer.ts";
import {
  type Decoder,
  type Dialogue,
  type Encoder,
  echoRoom,
  type Other,
  type Protocol,
  type ProtocolOptions,
} from "../protocol.ts";
import { StrayDecoders } from "../stray-decoders.ts";

/**
 * Phoenix Channels, version 2 of their serializer: `[join_ref, ref, topic, event, payload]`
 * (https://hexdocs.pm/phoenix/writing_a_channels_client.html). A room is the topic `room:NAME`. `say` is an event that
 * the server broadcasts to its topic, `echo` one that it answers with a reply; both carry the load's own fields in
 * their payload. Everyone joins the lobby, since an echo needs a topic too.
 *
 * A server decodes a payload and encodes it again, in an order of its own: Erlang keeps the keys of a small map sorted.
 * So ours are sorted, and what comes back is the same bytes in another envelope.
 */
export class Phoenix implements Protocol {
  readonly #options: ProtocolOptions;
  readonly #strays: StrayDecoders<MessageReader | ReplyReader>;

  constructor(options: ProtocolOptions) {
    this.#options = options;
    this.#strays = new StrayDecoders(options, (room) => this.createDecoder(room, 0));
  }

  createDialogue(index: number): Dialogue {
    const rooms = this.#options.joins.map((group) => roomOf(group, index));
    return new JoinDialogue([...new Set([0, ...rooms])].map(topicOf));
  }

  createEncoder(room: number, phase: number): Encoder {
    const { messageBytes, seed } = this.#options;
    return new MessageWriter(room, phase, messageBytes, seed, pushShape(room));
  }

  createDecoder(room: number, phase: number): MessageReader | ReplyReader {
    const { messageBytes } = this.#options;
    return room === echoRoom
      ? new ReplyReader(phase, messageBytes)
      : new MessageReader(
          room,
          phase,
          messageBytes + grown(room, broadcastShape(room)),
          broadcastShape(room),
        );
  }

  decodeOther(bytes: Uint8Array, start: number, end: number): Other {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
    const { ref, topic, event, payload } = parseMessage(text);
    const isEcho = event === "phx_reply" && ref === pushRef;
    if (event === "phx_error" || event === "phx_close" || (isEcho && payload?.status !== "ok"))
      return { kind: "error-reply", text };
    const decoder = this.#strays.of(isEcho ? echoRoom : event === "say" ? roomOfTopic(topic) : null);
    if (decoder?.read(bytes, start, end)) return { kind: "message", phase: decoder.phase };
    return { kind: isEcho || event === "say" ? "corrupted" : "unknown" };
  }
}

/** Of the topic that it was joined with. Each as long as the `null` in its place in a broadcast. */
const joinRef = "11";
/** The server returns it with its reply, and takes any: the load's own numbers tell messages apart. */
const pushRef = "22";

const keys = encodeKeys('","seq":', ',"us":', ',"what":"');
const payloadPrefix = '{"from":"c';
const payloadSuffix = '"}';

const topicOf = (room: number) => `room:${roomName(room === echoRoom ? 0 : room)}`;
const roomOfTopic = (topic: unknown) =>
  typeof topic === "string" && topic.startsWith("room:") ? roomNumber(topic.slice(5)) : null;

export function pushShape(room: number): MessageShape {
  const event = room === echoRoom ? "echo" : "say";
  const prefix = `["${joinRef}","${pushRef}","${topicOf(room)}","${event}",${payloadPrefix}`;
  return { prefix, keys, suffix: `${payloadSuffix}]` };
}

function broadcastShape(room: number): MessageShape {
  return {
    prefix: `[null,null,"${topicOf(room)}","say",${payloadPrefix}`,
    keys,
    suffix: `${payloadSuffix}]`,
  };
}

/** A map of atoms, whose order is the server's own. */
function replyShapes(): [MessageShape, MessageShape] {
  const head = `["${joinRef}","${pushRef}","${topicOf(echoRoom)}","phx_reply",{`;
  return [
    { prefix: `${head}"status":"ok","response":${payloadPrefix}`, keys, suffix: `${payloadSuffix}}]` },
    { prefix: `${head}"response":${payloadPrefix}`, keys, suffix: `${payloadSuffix},"status":"ok"}]` },
  ];
}

/** How many bytes more a message takes than the push that it comes from. */
function grown(room: number, shape: MessageShape): number {
  const push = pushShape(room);
  return shape.prefix.length + shape.suffix.length - push.prefix.length - push.suffix.length;
}

/** Reads replies to echoes. */
class ReplyReader implements Decoder {
  readonly messageBytes: number;
  #usual: MessageReader;
  #other: MessageReader;

  constructor(phase: number, pushBytes: number) {
    const [usual, other] = replyShapes();
    this.messageBytes = pushBytes + grown(echoRoom, usual);
    this.#usual = new MessageReader(echoRoom, phase, this.messageBytes, usual);
    this.#other = new MessageReader(echoRoom, phase, this.messageBytes, other);
  }

  get from(): number {
    return this.#usual.from;
  }

  get seq(): number {
    return this.#usual.seq;
  }

  get at(): number {
    return this.#usual.at;
  }

  get lagUs(): number {
    return this.#usual.lagUs;
  }

  get phase(): number {
    return this.#usual.phase;
  }

  get isLate(): boolean {
    return this.#usual.isLate;
  }

  read(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#usual.read(bytes, start, end)) return true;
    if (!this.#other.read(bytes, start, end)) return false;
    [this.#usual, this.#other] = [this.#other, this.#usual];
    return true;
  }
}

/** Joins one topic after the other. */
class JoinDialogue implements Dialogue {
  readonly #topics: string[];

  constructor(topics: string[]) {
    this.#topics = topics;
  }

  say(): string | null {
    const [topic] = this.#topics;
    return topic === undefined ? null : JSON.stringify([joinRef, joinRef, topic, "phx_join", {}]);
  }

  hear(answer: string): boolean {
    const { ref, topic, event, payload } = parseMessage(answer);
    const isAnswer = ref === joinRef && event === "phx_reply" && topic === this.#topics.shift();
    return isAnswer && payload?.status === "ok";
  }
}

interface Message {
  readonly ref?: unknown;
  readonly topic?: unknown;
  readonly event?: unknown;
  readonly payload?: { readonly status?: unknown };
}

function parseMessage(text: string): Message {
  try {
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value)) return {};
    const [, ref, topic, event, payload] = value;
    return { ref, topic, event, payload: payload ?? {} };
  } catch {
    return {};
  }
}
