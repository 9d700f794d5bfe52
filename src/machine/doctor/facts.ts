import type { Topology } from "../cpus.ts";

/** What the checks know of a machine. Null is "this machine does not say". */
export interface MachineFacts {
  readonly system: "linux" | "macos" | "other";
  /** Kernel settings by their names. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** Of this process and its children (RLIMIT_NOFILE); null is no limit. */
  readonly descriptorLimit: { readonly soft: number | null; readonly hard: number | null };
  /** Open files of the whole machine. */
  readonly systemDescriptors: number | null;
  readonly portRange: readonly [number, number] | null;
  /** Connections the packet filter follows now; null without connection tracking. */
  readonly trackedConnections: number | null;
  readonly memory: { readonly pageBytes: number; readonly availableBytes: number | null };
  readonly cgroup: CgroupLimits;
  readonly cpuCount: number;
  readonly topology: Topology;
  /** Of the first CPU; null where frequencies are not the system's to set. */
  readonly governor: string | null;
  /** Average over the last minute of tasks that ran or waited for a CPU. */
  readonly loadAverage: number | null;
  /** Null where it was not measured. */
  readonly noise: readonly NoiseReading[] | null;
}

export interface CgroupLimits {
  /** The tightest CPU quota of this process's groups, in CPUs, and the file that sets it. */
  readonly cpu: { readonly cpus: number; readonly path: string } | null;
  /** The tightest memory limit, what is used of it, and the file that sets it. */
  readonly memory: { readonly limitBytes: number; readonly usedBytes: number; readonly path: string } | null;
}

/** Of a process that did nothing but look at the clock. */
export interface NoiseReading {
  readonly role: "server" | "worker" | "any";
  /** Null where it was not pinned. */
  readonly cpu: number | null;
  readonly durationMs: number;
  /** The longest gap of a millisecond: in 99 of 100 milliseconds it was no longer. */
  readonly p99GapUs: number;
  readonly maxGapUs: number;
  /** Share of the time in gaps. */
  readonly lostShare: number;
}
