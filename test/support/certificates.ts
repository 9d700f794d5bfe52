import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate with its key, in PEM, and the files that they are in. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** An authority of its own for a test, and certificates of it, made by the `openssl` program. */
export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), "showdown-certificates-"));
  readonly own: Certified;
  #serial = 1;

  constructor() {
    this.own = this.selfSigned("authority", ["-addext", "basicConstraints=critical,CA:TRUE"]);
  }

  selfSigned(name: string, more: readonly string[] = []): Certified {
    const { certFile, keyFile } = this.#files(name);
    this.#run(
      [
        "req",
        "-x509",
        ...newKey,
        "-keyout",
        keyFile,
        "-out",
        certFile,
        "-days",
        "30",
        "-subj",
        `/CN=${name}`,
      ],
      more,
    );
    return this.#read(name);
  }

  /** @param names such as `DNS:localhost,IP:127.0.0.1` */
  issue(name: string, names: string, days = 30): Certified {
    const { certFile, keyFile } = this.#files(name);
    const request = join(this.folder, `${name}.csr`);
    const extension = ["-addext", `subjectAltName=${names}`];
    this.#run(
      ["req", "-new", ...newKey, "-keyout", keyFile, "-out", request, "-subj", `/CN=${name}`],
      extension,
    );
    const { certFile: ca, keyFile: caKey } = this.own;
    this.#serial += 1;
    this.#run(
      ["x509", "-req", "-in", request, "-CA", ca, "-CAkey", caKey, "-set_serial", `${this.#serial}`],
      [...["-days", `${days}`, "-copy_extensions", "copy", "-out", certFile]],
    );
    return this.#read(name);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #files(name: string) {
    return { certFile: join(this.folder, `${name}.pem`), keyFile: join(this.folder, `${name}.key`) };
  }

  #read(name: string): Certified {
    const { certFile, keyFile } = this.#files(name);
    return { cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8"), certFile, keyFile };
  }

  #run(args: readonly string[], more: readonly string[]): void {
    const { exitCode, stderr } = Bun.spawnSync(["openssl", ...args, ...more], { stdin: "ignore" });
    if (exitCode !== 0) throw new Error(`openssl ${args.join(" ")}: ${stderr}`);
  }
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
