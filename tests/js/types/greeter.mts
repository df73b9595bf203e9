// What docs/wasm.md shows, as somebody writes it who uses TypeScript; it runs, too.
import createModule from './greeter_module.mjs';
import {load, type CleanupReport, type Session} from './troupe.mjs';

interface Greeting {
  hello: {id: number; name: string; aborted: boolean};
}

/** What a program in node has, without the types of node. */
declare const process: {argv: string[]};
declare function setTimeout(f: () => void, milliseconds: number): unknown;

async function writeAuditRow(row: Greeting): Promise<void> {
  await new Promise<void>(resolve => setTimeout(resolve, 5));
  console.log(row.hello.name);
}

export async function greet(wasm: BufferSource): Promise<CleanupReport> {
  const troupe = await load(createModule, {wasm, print: line => console.log(line)});
  const system = troupe.createSystem({
    functions: {
      fetchUser: async (id: number, {signal}) => ({id, name: 'Emma', aborted: signal?.aborted ?? false}),
    },
    onUnfinished: (report, why) => console.warn(why, report.text),
  });
  const session: Session = system.openSession({name: 'GET /greeting', deadline: 10_000, grace: 2_000});
  const greeting = await session.spawn<Greeting>('greet', 7);
  session.waitUntil(writeAuditRow(greeting), 'audit');
  const report = await session.close();
  if (!report.is_clean) console.error(report.text, report.unsettled_promises);
  await system.close();
  return report;
}
