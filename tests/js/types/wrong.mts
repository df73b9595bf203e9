// Mistakes that the types have to find: tsc complains of each comment below which there is none.
import {load, Session, System, Task, Troupe, TroupeError, type ErrorCode} from './troupe.mjs';
import createModule from './greeter_module.mjs';

export async function wrong(troupe: Troupe, system: System, session: Session): Promise<void> {
  // @ts-expect-error: an option that there is not
  system.openSession({graze: 10});
  // @ts-expect-error: a time is a number
  system.openSession({grace: '1 s'});
  // @ts-expect-error: a kind that there is not
  session.spawn('echo', 1, {kind: 'deamon'});
  // @ts-expect-error: what JSON cannot carry
  session.spawn('echo', () => 1);
  // @ts-expect-error: not a promise
  session.waitUntil(7);
  // @ts-expect-error: sessions are opened
  new Session();
  // @ts-expect-error: systems are created
  new System();
  // @ts-expect-error: tasks are spawned
  new Task();
  // @ts-expect-error: a function
  troupe.createSystem({functions: {f: 7}});
  // @ts-expect-error: an end of the host's that there is not
  troupe.createSystem({onUnfinished: (report, why) => { if (why === 'crashed') console.log(report); }});
  // @ts-expect-error: a module is loaded first
  createModule.createSystem();
  // @ts-expect-error: load takes the function, not what it gives
  await load(createModule());
  // @ts-expect-error: a result has the type that was asked for
  const n: string = await session.spawn<number>('echo', 1);
  // @ts-expect-error: a code that there is not
  const code: ErrorCode = 'gone';
  // @ts-expect-error: a report is read only once it is there
  session.close().is_clean;
  throw new TroupeError('failed', n + code);
}
