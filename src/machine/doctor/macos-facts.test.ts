import { expect, test } from "bun:test";
import { readMac } from "./macos-facts.ts";

test("a Mac's facts come out of what its commands print", () => {
  const facts = readMac({
    openFiles: "8123\n",
    swap: "total = 2048.00M  used = 512.50M  free = 1535.50M  (encrypted)\n",
    memory:
      "Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages free:                               10000.\nPages active:                            300000.\nPages inactive:                           20000.\nPages speculative:                         3000.\nPages purgeable:                            400.\n",
    sockets:
      "Active Internet connections (including servers)\nProto Recv-Q Send-Q  Local Address          Foreign Address        (state)\ntcp4       0      0  127.0.0.1.8080         127.0.0.1.50000        TIME_WAIT\ntcp46      0      0  *.22                   *.*                    LISTEN\n",
    power: "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=1)\t81%; discharging\n",
    heat: "Note: No thermal warning level has been recorded\nCPU_Scheduler_Limit \t= 100\nCPU_Available_CPUs \t= 10\nCPU_Speed_Limit \t= 62\n",
    loadAverage: 2.5,
  });
  expect(facts).toMatchObject({
    systemDescriptors: 8123,
    timeWaits: 1,
    tcpSockets: 2,
    memory: {
      pageBytes: 16_384,
      availableBytes: 33_400 * 16_384,
      swapTotalBytes: 2048 * 1024 * 1024,
      swapUsedBytes: 512.5 * 1024 * 1024,
    },
    loadAverage: 2.5,
    onBattery: true,
    speedLimitPercent: 62,
  });
});

test("missing commands are nothing known", () => {
  const nothing = { openFiles: null, swap: null, memory: null, sockets: null, power: null, heat: null };
  expect(readMac({ ...nothing, loadAverage: null })).toMatchObject({
    systemDescriptors: null,
    timeWaits: null,
    tcpSockets: null,
    memory: { availableBytes: null, swapTotalBytes: null, swapUsedBytes: null },
    loadAverage: null,
    onBattery: null,
    speedLimitPercent: null,
  });
});
