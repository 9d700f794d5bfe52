#!/bin/sh
//bin/sh -c :; { sh -c 'kill -HUP $$'; } 2>/dev/null && H=1 || H=0; SHOWDOWN_IGNORES_HANGUP=$H exec node "$0" "$@"
// The line above: see showdown.mjs.
// Of the npm package: finds Bun, then hands over to the program as scripts/build.ts made it.
import { fileURLToPath } from "node:url";
import { findBun } from "./find-bun.mjs";
import { launch } from "./launch.mjs";

launch(findBun(), fileURLToPath(new URL("../dist/main.js", import.meta.url)));
