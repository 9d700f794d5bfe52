import { testSlowReaders } from "../testing/slow-readers.ts";

testSlowReaders(import.meta.dir, "python3", "tuned");
