// Loads the module in node, and greets user 7: node greeter.mjs
import createModule from './greeter_module.mjs';
import {load} from './troupe.mjs';
import {readFile} from 'node:fs/promises';

const troupe = await load(createModule, {wasm: await readFile(new URL('greeter_module.wasm', import.meta.url))});
const system = troupe.createSystem({functions: {
  fetchUser: async (id, {signal}) => ({id, name: 'Emma', aborted: signal.aborted}),
}});
const session = system.openSession({name: 'GET /greeting', deadline: 10_000, grace: 2_000});
const greeting = await session.spawn('greet', 7); // a task is a promise
session.waitUntil(writeAuditRow(greeting), 'audit'); // a promise is a task
const report = await session.close();
if (!report.is_clean) console.error(report.text, report.unsettled_promises);
await system.close();

async function writeAuditRow(row) {
  await new Promise(resolve => setTimeout(resolve, 5));
  console.log(JSON.stringify(row));
}
