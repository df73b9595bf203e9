// Runs one test file in node.
import {setFlagsFromString} from 'node:v8';
import {run} from './harness.mjs';

// Node 18 knows tail calls, but has to be asked.
if (parseInt(process.versions.node) < 20)
  setFlagsFromString('--experimental-wasm-return-call');

process.on('unhandledRejection', e => {
  console.log(`FAILED: a rejection that nobody handles: ${e && e.stack || e}`);
  process.exit(1);
});
await import(new URL(process.argv[2], import.meta.url));
process.exitCode = await run(line => console.log(line));
