import type { ConnectionFailure } from "../../result/reasons.ts";

export type TlsProblem = Extract<ConnectionFailure, { kind: "tls" }>["problem"];

/** By OpenSSL's number (x509_vfy.h) and by its name without `X509_V_ERR_`, as Bun has it. */
const verifications: readonly (readonly [number, string, TlsProblem])[] = [
  [2, "UNABLE_TO_GET_ISSUER_CERT", "unknown-issuer"],
  [9, "CERT_NOT_YET_VALID", "not-yet-valid"],
  [10, "CERT_HAS_EXPIRED", "expired"],
  [18, "DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed"],
  [19, "SELF_SIGNED_CERT_IN_CHAIN", "unknown-issuer"],
  [20, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "unknown-issuer"],
  [21, "UNABLE_TO_VERIFY_LEAF_SIGNATURE", "unknown-issuer"],
  [62, "ERR_TLS_CERT_ALTNAME_INVALID", "wrong-host"],
  [64, "ERR_TLS_CERT_ALTNAME_INVALID", "wrong-host"],
];

/** By what OpenSSL and BoringSSL call a failure. Alerts are what the server says of this side (RFC 8446 section 6.2). */
const reasons: readonly (readonly [RegExp, TlsProblem])[] = [
  [/^(unsupported protocol|wrong ssl version|version too low|no protocols available)$/, "version"],
  [/alert protocol version$/, "version"],
  [/^(wrong version number|packet length too long|record length mismatch|bad record type)$/, "not-tls"],
  [/^(http request|https proxy request|unknown protocol|invalid alert)$/, "not-tls"],
  [/alert certificate required$/, "client-certificate-missing"],
  [/alert (no|bad|unsupported) certificate$/, "client-certificate-refused"],
  [/alert (certificate (revoked|expired|unknown)|unknown ca|access denied)$/, "client-certificate-refused"],
  [/alert |^tlsv1 unrecognized name$/, "refused"],
];

/** @param code of OpenSSL, or its name */
export function problemOfVerification(code: number | string): TlsProblem {
  return verifications.find((one) => one[0] === code || one[1] === code)?.[2] ?? "untrusted";
}

/** @param isAsked whether the server has asked for a certificate that this side doesn't have */
export function problemOfReason(reason: string, isAsked: boolean): TlsProblem {
  const text = reason.toLowerCase().replaceAll("_", " ");
  // Up to TLS 1.2 there is no alert of its own for that.
  if (isAsked && /alert (handshake failure|bad certificate|no certificate)$/.test(text)) {
    return "client-certificate-missing";
  }
  return reasons.find(([pattern]) => pattern.test(text))?.[1] ?? "failed";
}
