#!/bin/sh
//bin/sh -c :; { sh -c 'kill -HUP $$'; } 2>/dev/null && H=1 || H=0; SHOWDOWN_IGNORES_HANGUP=$H exec node "$0" "$@"
// The line above is for the shell, which alone can tell whether SIGHUP is ignored, as under nohup: Node sets it back to
// its default before anyone can look.
// Of a clone: sets up what is missing, then hands over to the program as its sources have it.
import { join } from "node:path";
import { launch } from "./bin/launch.mjs";
import { bun, root, setUp } from "./setup.mjs";

setUp();
launch(bun, join(root, "src", "cli", "main.ts"));
