// What Node gets when it is asked for the library, whose engine needs Bun's FFI and sockets.
throw new Error(
  `ws-showdown's library runs on Bun 1.4.5 or newer, and this is Node ${process.versions.node}: start your file with "bun". The command, "npx ws-showdown", needs only Node and npm.`,
);
