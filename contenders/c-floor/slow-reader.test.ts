import { testSlowReaders } from "../testing/slow-readers.ts";

testSlowReaders(import.meta.dir, "cc");
