import { explainRefusal } from "../../engine/adapters/adapters.ts";
import type { AttackResult } from "../../result/attack.ts";
import * as format from "../../text/format.ts";
import type { Sentence } from "../document/block.ts";
import { describeFailure } from "../text/failure-text.ts";
import { quote } from "../text/tell.ts";
import { listScenarioTroubles } from "./scenario.ts";

const mostBody = 200;
const mostSample = 120;

/** What went otherwise than was asked, and what may be done about it. */
export function listTroubles(result: AttackResult): Sentence[] {
  const { connections, rejections } = result;
  return [
    ...listHints(result),
    ...listScenarioTroubles(result),
    ...listDeclined(result),
    ...connections.failures.map(({ failure, count }) => bad("Not opened:", count, describeFailure(failure))),
    ...listRefusals(result),
    ...connections.deaths.map(({ failure, count }) => bad("Closed:", count, describeFailure(failure))),
    ...connections.reconnectFailures.map(({ failure, count }) =>
      bad("Not reopened:", count, describeFailure(failure)),
    ),
    ...rejections.map(({ reason, count }) => bad("Refused by the server:", count, quote(reason, mostSample))),
    ...result.strays.map(({ rule, count }) => bad("Unmatched:", count, strayTexts[rule])),
    ...listSamples(result),
  ];
}

const strayTexts: Readonly<Record<AttackResult["strays"][number]["rule"], string>> = {
  "reply-to-nothing": "a reply to a message that was not sent, or was given up",
  "delivery-without-stamp": "a delivery that is none of this attack's messages",
  "delivery-of-another-room": "a delivery of a room that the connection is not in",
};

function bad(lead: string, count: number, text: string): Sentence {
  return { lead, text: `${format.formatCount(count)} × ${text}`, style: "bad" };
}

function listRefusals({ refusals, plan }: AttackResult): Sentence[] {
  return refusals.map(({ status, location, body }) => {
    const where = location === null ? "" : `, to ${quote(location, mostSample)}`;
    const said = body.trim() === "" ? "without a body" : `"${quote(body.trim(), mostBody)}"`;
    const meaning = plan.adapter === null ? null : explainRefusal(plan.adapter.name, status, body);
    const text = meaning === null ? said : `${said}: ${meaning}.`;
    return { lead: `HTTP ${status}${where}:`, text, style: "warning" };
  });
}

/** Where replies are not known by what was said, how they might be. */
function listHints({ plan, messages, status }: AttackResult): Sentence[] {
  const { sent, answered, unmatched, received, lostOnClosed, lost } = messages;
  if (
    plan.reply.kind === "none" ||
    plan.reply.kind === "scenario" ||
    sent === 0 ||
    answered > 0 ||
    status === "failed"
  )
    return [];
  if (received === 0 && lost > lostOnClosed) {
    return [
      hint(
        "The server answered nothing. If no reply is expected, give --reply none, or --reply ping for round trips.",
      ),
    ];
  }
  if (unmatched === 0) return [];
  const what =
    plan.reply.kind === "echo" ? "The server does not echo" : "No message of the server is such a reply";
  return [
    hint(
      `${what}: say how its replies are known with --reply json:/POINTER, regex:PATTERN or order, or --reply none.`,
    ),
  ];
}

function listDeclined({ compression }: AttackResult): Sentence[] {
  if (compression === null || compression.declined === 0) return [];
  const { declined, agreed } = compression;
  const who =
    agreed === 0
      ? "The server does not speak permessage-deflate"
      : `On ${format.plural(declined, "connection")} the server declined permessage-deflate`;
  return [hint(`${who}: messages went plain.`)];
}

function hint(text: string): Sentence {
  return { lead: "Hint:", text, style: "warning" };
}

function listSamples({ samples, messages, plan }: AttackResult): Sentence[] {
  if (plan.reply.kind === "none") return [];
  const shown = samples.slice(0, messages.answered === 0 ? 3 : 2);
  const [awaited] = samples.flatMap(({ awaited: one }) => one ?? []);
  return [
    ...shown.map(({ isText, text, bytes }): Sentence => {
      const kind = isText ? "text" : "binary, in hexadecimal";
      return {
        lead: "Unmatched:",
        text: `"${quote(text, mostSample)}" (${format.formatBytes(bytes)} of ${kind})`,
        style: "warning",
      };
    }),
    ...(shown.length === 0 || awaited === undefined || plan.reply.kind !== "echo"
      ? []
      : [{ lead: "Awaited:", text: `"${quote(awaited, mostSample)}"`, style: "dim" } as const]),
  ];
}
