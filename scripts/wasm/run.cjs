// Runs a program that Emscripten 3.1.6 has built in node: node run.cjs PROGRAM.js ARGUMENT...
'use strict';
const path = require('path');
// The loader of 3.1.6 would fetch the program's code from the network if it could.
delete globalThis.fetch;
// Node 18 knows tail calls, but has to be asked.
if (parseInt(process.versions.node) < 20)
  require('v8').setFlagsFromString('--experimental-wasm-return-call');
process.argv.splice(1, 1);
require(path.resolve(process.argv[1]));
