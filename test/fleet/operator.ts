import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAccount, createOperator, createUser, type KeyPair } from "@nats-io/nkeys";

/** What a NATS server in operator mode trusts, and who may use it: by signed claims, without any password. */
export interface Operated {
  readonly configFile: string;
  /** Of a user of the account that the server knows. */
  readonly credsFile: string;
  /** Of a user whose account is another operator's. */
  readonly strangerFile: string;
}

const unlimited = -1;
const connecting = ["subs", "data", "payload", "imports", "exports", "conn", "leaf"];
const keeping = ["mem_storage", "disk_storage", "streams", "consumer"];

/** An operator with an account for attacks and one for the server itself, in files of a folder. */
export function makeOperator(folder: string): Operated {
  const operator = createOperator();
  const [account, system, foreign] = [createAccount(), createAccount(), createAccount()];
  // The system's own may have no JetStream.
  const tokens = [
    [nameOf(account), signAccount(operator, account, [...connecting, ...keeping])],
    [nameOf(system), signAccount(operator, system, connecting)],
  ] as const;
  const configFile = join(folder, "operator.conf");
  writeFileSync(
    configFile,
    [
      `operator: ${sign(operator, operator, "operator", {})}`,
      `system_account: ${nameOf(system)}`,
      "resolver: MEMORY",
      "resolver_preload: {",
      ...tokens.map(([name, token]) => `  ${name}: ${token}`),
      "}",
      "",
    ].join("\n"),
  );
  return {
    configFile,
    credsFile: writeCreds(join(folder, "user.creds"), account),
    strangerFile: writeCreds(join(folder, "stranger.creds"), foreign),
  };
}

function signAccount(operator: KeyPair, account: KeyPair, names: readonly string[]): string {
  const limits = Object.fromEntries(names.map((name) => [name, unlimited]));
  return sign(operator, account, "account", { limits: { ...limits, wildcards: true } });
}

function writeCreds(file: string, account: KeyPair): string {
  const user = createUser();
  const limits = { subs: unlimited, data: unlimited, payload: unlimited };
  const token = sign(account, user, "user", { pub: {}, sub: {}, ...limits });
  writeFileSync(
    file,
    [
      "-----BEGIN NATS USER JWT-----",
      token,
      "------END NATS USER JWT------",
      "",
      "-----BEGIN USER NKEY SEED-----",
      new TextDecoder().decode(user.getSeed()),
      "------END USER NKEY SEED------",
      "",
    ].join("\n"),
    { mode: 0o600 },
  );
  return file;
}

/** A JWT as NATS has them: signed by whoever is above. */
function sign(by: KeyPair, who: KeyPair, type: string, claims: object): string {
  const head = encode({ typ: "JWT", alg: "ed25519-nkey" });
  const body = encode({
    ...{
      jti: randomUUID(),
      iat: Math.floor(Date.now() / 1000),
      iss: nameOf(by),
      sub: nameOf(who),
      name: type,
    },
    nats: { ...claims, type, version: 2 },
  });
  const signature = by.sign(new TextEncoder().encode(`${head}.${body}`));
  return `${head}.${body}.${Buffer.from(signature).toString("base64url")}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function nameOf(pair: KeyPair): string {
  return pair.getPublicKey();
}
