import { CString, dlopen, FFIType, type Pointer } from "bun:ffi";
import { alpnProtocol, sniOf, type Tls } from "../../process/tls.ts";
import type { SocketError } from "./socket.ts";
import { problemOfReason, problemOfVerification } from "./tls-problems.ts";

const { i32, i64, u32, u64, ptr } = FFIType;

/** Of libssl and of libcrypto, which it brings along. `long` results that are read fit into 32 bits. */
const symbols = {
  TLS_client_method: { args: [], returns: ptr },
  SSL_CTX_new: { args: [ptr], returns: ptr },
  SSL_CTX_ctrl: { args: [ptr, i32, i64, ptr], returns: i32 },
  SSL_CTX_set_verify: { args: [ptr, i32, ptr], returns: FFIType.void },
  SSL_CTX_set_default_verify_paths: { args: [ptr], returns: i32 },
  SSL_CTX_set_alpn_protos: { args: [ptr, ptr, u32], returns: i32 },
  SSL_CTX_get_cert_store: { args: [ptr], returns: ptr },
  SSL_CTX_get0_param: { args: [ptr], returns: ptr },
  SSL_CTX_use_certificate: { args: [ptr, ptr], returns: i32 },
  SSL_CTX_use_PrivateKey: { args: [ptr, ptr], returns: i32 },
  X509_STORE_add_cert: { args: [ptr, ptr], returns: i32 },
  X509_VERIFY_PARAM_set1_host: { args: [ptr, ptr, u64], returns: i32 },
  X509_VERIFY_PARAM_set1_ip_asc: { args: [ptr, ptr], returns: i32 },
  X509_VERIFY_PARAM_set_hostflags: { args: [ptr, u32], returns: FFIType.void },
  X509_free: { args: [ptr], returns: FFIType.void },
  EVP_PKEY_free: { args: [ptr], returns: FFIType.void },
  PEM_read_bio_X509: { args: [ptr, ptr, ptr, ptr], returns: ptr },
  PEM_read_bio_PrivateKey: { args: [ptr, ptr, ptr, ptr], returns: ptr },
  BIO_new: { args: [ptr], returns: ptr },
  BIO_s_mem: { args: [], returns: ptr },
  BIO_free: { args: [ptr], returns: i32 },
  BIO_up_ref: { args: [ptr], returns: i32 },
  BIO_ctrl: { args: [ptr, i32, i64, ptr], returns: i32 },
  BIO_read: { args: [ptr, ptr, i32], returns: i32 },
  BIO_write: { args: [ptr, ptr, i32], returns: i32 },
  SSL_new: { args: [ptr], returns: ptr },
  SSL_free: { args: [ptr], returns: FFIType.void },
  SSL_ctrl: { args: [ptr, i32, i64, ptr], returns: i32 },
  SSL_set_bio: { args: [ptr, ptr, ptr], returns: FFIType.void },
  SSL_set_connect_state: { args: [ptr], returns: FFIType.void },
  SSL_do_handshake: { args: [ptr], returns: i32 },
  SSL_read: { args: [ptr, ptr, i32], returns: i32 },
  SSL_write: { args: [ptr, ptr, i32], returns: i32 },
  SSL_shutdown: { args: [ptr], returns: i32 },
  SSL_free_buffers: { args: [ptr], returns: i32 },
  SSL_get_error: { args: [ptr, i32], returns: i32 },
  SSL_get_verify_result: { args: [ptr], returns: i32 },
  ERR_get_error: { args: [], returns: u32 },
  ERR_clear_error: { args: [], returns: FFIType.void },
  ERR_reason_error_string: { args: [u64], returns: ptr },
  X509_verify_cert_error_string: { args: [i64], returns: ptr },
} as const;

/** Constants of OpenSSL 3 (ssl.h, tls1.h, bio.h, x509_vfy.h, x509v3.h). */
const openssl = {
  SSL_VERIFY_NONE: 0,
  SSL_VERIFY_PEER: 1,
  SSL_CTRL_CHAIN_CERT: 89,
  SSL_CTRL_GET_CLIENT_CERT_TYPES: 103,
  SSL_CTRL_SET_TLSEXT_HOSTNAME: 55,
  SSL_CTRL_SET_MIN_PROTO_VERSION: 123,
  TLSEXT_NAMETYPE_host_name: 0,
  TLS1_2_VERSION: 0x0303,
  SSL_ERROR_WANT_READ: 2,
  SSL_ERROR_ZERO_RETURN: 6,
  BIO_CTRL_RESET: 1,
  BIO_C_SET_BUF_MEM_EOF_RETURN: 130,
  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS: 4,
  X509_V_OK: 0,
} as const;

/** The most that one record carries and a few records' overhead, several times: what one call of `BIO_read` takes out. */
const encryptedBytes = 128 * 1024;
/** Encrypted at once, so that it fits. */
export const mostPerWrite = 64 * 1024;

function open() {
  if (process.platform !== "linux") return null;
  try {
    return dlopen("libssl.so.3", symbols).symbols;
  } catch {
    return null;
  }
}

let opened: ReturnType<typeof open> | undefined;

/** OpenSSL 3 of this system; null elsewhere than on Linux, or where there is none. Loaded when it is first asked for. */
export function openSsl(): OpenSsl | null {
  opened ??= open();
  return opened;
}

export type OpenSsl = NonNullable<ReturnType<typeof open>>;

/** Of one of OpenSSL's objects. */
type Handle = Pointer | bigint;
/** A connection's SSL object. */
export type Session = Handle;

/** What a call has come to: bytes or success, more is to be read, the peer said goodbye, or it failed. */
type Ending = "wants-more" | "goodbye" | "failed";

/**
 * One SSL_CTX for all connections of a process, and one memory BIO each way. Whatever arrived at one connection is
 * written into the one and read out of it decrypted before another's turn; what is to be sent is taken out of the
 * other at once. So the system's calls stay those of plain sockets: one per arrival instead of three. It is never freed:
 * a process has one for each target, and sockets that are over may still name it.
 */
export class TlsContext {
  readonly ssl: OpenSsl;
  readonly encrypted = new Uint8Array(new ArrayBuffer(encryptedBytes));
  readonly #context: Handle;
  readonly #incoming: Handle;
  readonly #outgoing: Handle;
  readonly #serverName: Uint8Array | null;
  readonly #hasCertificate: boolean;
  readonly #certificateTypes = new BigUint64Array(new ArrayBuffer(8));

  constructor(ssl: OpenSsl, tls: Tls) {
    this.ssl = ssl;
    this.#context = made(ssl.SSL_CTX_new(ssl.TLS_client_method()), "SSL_CTX_new");
    this.#incoming = this.#memory();
    this.#outgoing = this.#memory();
    const sni = sniOf(tls);
    this.#serverName = sni === null ? null : cString(sni);
    this.#hasCertificate = tls.cert !== null;
    const context = this.#context;
    ssl.SSL_CTX_ctrl(context, openssl.SSL_CTRL_SET_MIN_PROTO_VERSION, openssl.TLS1_2_VERSION, null);
    const alpn = new TextEncoder().encode(alpnProtocol);
    ssl.SSL_CTX_set_alpn_protos(context, Uint8Array.from([alpn.length, ...alpn]), alpn.length + 1);
    if (tls.verify) this.#verify(tls);
    if (tls.cert !== null && tls.key !== null) this.#present(tls.cert, tls.key);
    // Of files read in vain among the system's certificates.
    ssl.ERR_clear_error();
  }

  createSession(): Session {
    const { ssl } = this;
    const session = made(ssl.SSL_new(this.#context), "SSL_new");
    ssl.BIO_up_ref(this.#incoming);
    ssl.BIO_up_ref(this.#outgoing);
    ssl.SSL_set_bio(session, this.#incoming, this.#outgoing);
    if (this.#serverName !== null) {
      const { SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name } = openssl;
      ssl.SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, this.#serverName);
    }
    ssl.SSL_set_connect_state(session);
    return session;
  }

  /** What has arrived, to be read by the session's next calls. */
  feed(bytes: Uint8Array, length: number): void {
    this.ssl.BIO_write(this.#incoming, bytes, length);
  }

  /** Drops what a session that is over has not read. */
  forget(): void {
    this.ssl.BIO_ctrl(this.#incoming, openssl.BIO_CTRL_RESET, 0, null);
    this.ssl.ERR_clear_error();
  }

  /** Moves what is to be sent into `encrypted`. Returns how many bytes; as many as fit when there may be more. */
  take(): number {
    return Math.max(0, this.ssl.BIO_read(this.#outgoing, this.encrypted, encryptedBytes));
  }

  /** Of the session's last call, which returned `result`, 0 or less. */
  endingOf(session: Session, result: number): Ending {
    switch (this.ssl.SSL_get_error(session, result)) {
      case openssl.SSL_ERROR_WANT_READ:
        return "wants-more";
      case openssl.SSL_ERROR_ZERO_RETURN:
        return "goodbye";
      default:
        return "failed";
    }
  }

  /** Why the session's last call failed. @param address the peer's */
  readError(session: Session, address: string): SocketError {
    const { ssl } = this;
    const code = textAt(ssl.ERR_reason_error_string(ssl.ERR_get_error())) || "unknown error";
    ssl.ERR_clear_error();
    if (code === "certificate verify failed") {
      const verified = ssl.SSL_get_verify_result(session);
      const why = textAt(ssl.X509_verify_cert_error_string(verified));
      return { code: why, address, tls: problemOfVerification(verified) };
    }
    // Known when the server has asked for one (RFC 5246 section 7.4.4).
    const isAsked =
      ssl.SSL_ctrl(session, openssl.SSL_CTRL_GET_CLIENT_CERT_TYPES, 0, this.#certificateTypes) > 0;
    return { code, address, tls: problemOfReason(code, isAsked && !this.#hasCertificate) };
  }

  #memory(): Handle {
    const bio = made(this.ssl.BIO_new(this.ssl.BIO_s_mem()), "BIO_new");
    // Empty is not the end: more is to come.
    this.ssl.BIO_ctrl(bio, openssl.BIO_C_SET_BUF_MEM_EOF_RETURN, -1, null);
    return bio;
  }

  #verify({ ca, serverName }: Tls): void {
    const { ssl } = this;
    const context = this.#context;
    ssl.SSL_CTX_set_verify(context, openssl.SSL_VERIFY_PEER, null);
    if (ca === null) ssl.SSL_CTX_set_default_verify_paths(context);
    else {
      const store = made(ssl.SSL_CTX_get_cert_store(context), "SSL_CTX_get_cert_store");
      this.#readCertificates(ca, (certificate) => ssl.X509_STORE_add_cert(store, certificate));
    }
    const rules = made(ssl.SSL_CTX_get0_param(context), "SSL_CTX_get0_param");
    ssl.X509_VERIFY_PARAM_set_hostflags(rules, openssl.X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const name = cString(serverName);
    const isSet =
      ssl.X509_VERIFY_PARAM_set1_ip_asc(rules, name) === 1 ||
      ssl.X509_VERIFY_PARAM_set1_host(rules, name, 0) === 1;
    // Without it any valid certificate would do.
    if (!isSet) throw new Error(`OpenSSL takes no server name "${serverName}"`);
  }

  /** The first certificate is this side's own, the others its chain. */
  #present(cert: string, key: string): void {
    const { ssl } = this;
    let isFirst = true;
    this.#readCertificates(cert, (certificate) => {
      if (isFirst) ssl.SSL_CTX_use_certificate(this.#context, certificate);
      else ssl.SSL_CTX_ctrl(this.#context, openssl.SSL_CTRL_CHAIN_CERT, 1, certificate);
      isFirst = false;
    });
    const bio = this.#text(key);
    // An empty passphrase: without one OpenSSL would ask at the terminal.
    const own = ssl.PEM_read_bio_PrivateKey(bio, null, null, cString(""));
    ssl.BIO_free(bio);
    if (own === null || ssl.SSL_CTX_use_PrivateKey(this.#context, own) !== 1) {
      throw new Error("OpenSSL can't read the client's key");
    }
    ssl.EVP_PKEY_free(own);
  }

  #readCertificates(pem: string, use: (certificate: Handle) => void): void {
    const { ssl } = this;
    const bio = this.#text(pem);
    for (;;) {
      const certificate = ssl.PEM_read_bio_X509(bio, null, null, null);
      if (certificate === null) break;
      use(certificate);
      ssl.X509_free(certificate);
    }
    ssl.BIO_free(bio);
  }

  #text(pem: string): Handle {
    const bio = this.#memory();
    const bytes = new TextEncoder().encode(pem);
    this.ssl.BIO_write(bio, bytes, bytes.length);
    return bio;
  }
}

function cString(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

function textAt(at: Handle | null): string {
  return at === null ? "" : new CString(at as Pointer).toString();
}

function made(pointer: Handle | null, what: string): Handle {
  if (pointer === null) throw new Error(`OpenSSL: ${what} failed`);
  return pointer;
}
