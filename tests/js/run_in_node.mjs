// Runs one test file in node.
import {run} from './harness.mjs';

process.on('unhandledRejection', e => {
  console.log(`FAILED: a rejection that nobody handles: ${e && e.stack || e}`);
  process.exit(1);
});
await import(new URL(process.argv[2], import.meta.url));
process.exitCode = await run(line => console.log(line));
