// The figures of docs/wasm.md: node measure.mjs [SESSIONS]. 100,000 sessions and their memory, and the worst gap of an
// interval of 5 ms under a flood of messages once the code is warm.
import {after} from './harness.mjs';
import {loadProbe} from './probe.mjs';

const sessions = parseInt(process.argv[2] ?? '100000'), batches = 10;
const troupe = await loadProbe();
const system = troupe.createSystem();
const megabytes = () => (troupe.module.HEAP8.length / 2 ** 20).toFixed(0);
const started = performance.now();
let clean = 0;
for (let batch = 0; batch < batches; ++batch) {
  clean += await system.spawn('openSessions', sessions / batches);
  console.log(`${(batch + 1) * sessions / batches} sessions: wasm memory ${megabytes()} MiB, ` +
              `resident ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`);
}
const seconds = (performance.now() - started) / 1000;
console.log(`${clean} of ${sessions} closed clean, ${Math.round(sessions / seconds)} sessions/s`);

// From JavaScript, each with its own promises.
const fromHere = performance.now();
for (let i = 0; i < 2000; ++i) {
  const session = system.openSession();
  await session.spawn('echo', i);
  await session.close();
}
console.log(`${Math.round(2000 / ((performance.now() - fromHere) / 1000))} sessions/s opened, used and closed from JavaScript`);

for (const warm of [false, true, true]) {
  const flood = system.spawn('ping');
  let worst = 0, last = performance.now();
  const interval = setInterval(() => { worst = Math.max(worst, performance.now() - last); last = performance.now(); }, 5);
  const at = performance.now();
  await after(1000);
  clearInterval(interval);
  await system.spawn('stop', null, {priority: 'critical'});
  const messages = await flood;
  console.log(`${warm ? 'warm' : 'cold'}: worst gap of a 5 ms interval ${worst.toFixed(1)} ms at ` +
              `${Math.round(messages / ((performance.now() - at) / 1000))} messages/s`);
}
const report = await system.close();
console.log(`the system closed ${report.outcome}, with ${report.children_closed} sessions closed`);
