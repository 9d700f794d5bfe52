import type { Check } from "../check.ts";
import { closeChecks } from "./close.ts";
import { controlChecks } from "./control.ts";
import { echoChecks } from "./echo.ts";
import { errorChecks } from "./errors.ts";
import { fragmentationChecks } from "./fragmentation.ts";
import { framingChecks } from "./framing.ts";
import { handshakeChecks } from "./handshake.ts";
import { lengthChecks } from "./lengths.ts";
import { maskingChecks } from "./masking.ts";
import { pieceChecks } from "./pieces.ts";
import { readyCheck, terminationChecks } from "./process.ts";
import { refusalChecks } from "./refusals.ts";
import { reservedChecks } from "./reserved.ts";
import { roomChecks } from "./rooms.ts";
import { silenceChecks } from "./silence.ts";
import { statsChecks } from "./stats.ts";
import { utf8Checks } from "./utf8.ts";

/** Every check, in the order of the report: RFC 6455 first, then the contract, the end of the process last. */
export const allChecks: readonly Check[] = [
  readyCheck,
  ...handshakeChecks,
  ...refusalChecks,
  ...lengthChecks,
  ...pieceChecks,
  ...maskingChecks,
  ...reservedChecks,
  ...controlChecks,
  ...fragmentationChecks,
  ...utf8Checks,
  ...closeChecks,
  ...echoChecks,
  ...roomChecks,
  ...framingChecks,
  ...errorChecks,
  ...statsChecks,
  ...silenceChecks,
  ...terminationChecks,
];
