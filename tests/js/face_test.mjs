// What JavaScript can do with systems, sessions, tasks and promises, and what it is told when something is wrong.
import {TroupeError, load} from './troupe.mjs';
import createProbe from './probe_module.mjs';
import {after, check, equal, failureOf, test} from './harness.mjs';
import {loadProbe} from './probe.mjs';

const troupe = await loadProbe();
const isNode = typeof process !== 'undefined';
const never = new Promise(() => {});

/** Calls `body` with a fresh system, which has to close clean afterwards. */
async function withSystem(body, options = {}) {
  const system = troupe.createSystem(options);
  await body(system);
  const report = await system.close();
  check(report.survivors.length === 0, report.text);
  return report;
}

test('a module says which tasks it has', async () => {
  check(troupe.tasks.includes('echo'));
  check(troupe.tasks.includes('sleep'));
});

test('a task gets its arguments, and its result is a promise', () => withSystem(async system => {
  const session = system.openSession({name: 'request'});
  for (const value of [null, 1.5, 'grüße 🎭', [1, 'two', null], {a: {b: []}}, true])
    equal(await session.spawn('echo', value), value);
  equal(await session.spawn('echo'), null);
  equal(await session.spawn('ask', 21), 42);
  const report = await session.close();
  check(report.is_clean, report.text);
  equal(report.counters.ok, 8);
  equal(report.name, 'request');
  check(report.text.includes('request'));
}));

test('a system has its configuration, and two of them side by side have each their own', async () => {
  await withSystem(async one => {
    await withSystem(async two => {
      const [a, b] = await Promise.all([one.spawn('config'), two.spawn('config')]);
      equal([a, b], [{name: 'one'}, {name: 'two'}]);
      const [x, y] = await Promise.all([one.spawn('call', {function: 'who'}), two.spawn('call', {function: 'who'})]);
      equal([x, y], ['one', 'two']);
    }, {config: {name: 'two'}, functions: {who: () => 'two'}});
  }, {config: {name: 'one'}, functions: {who: () => 'one'}});
  const e = await failureOf(() => troupe.createSystem({config: 'bad'}));
  check(e.message.includes('this config is bad'), e.message);
});

test('a task that throws rejects its promise, and fails its session', () => withSystem(async system => {
  const session = system.openSession();
  const e = await failureOf(session.spawn('fail', 'disk full', {name: 'store'}));
  check(e instanceof TroupeError);
  equal(e.code, 'failed');
  check(e.message.includes('disk full'), e.message);
  const report = await session.close();
  equal(report.outcome, 'failed');
  check(!report.is_clean);
  check(report.first_error.includes("'store'") && report.first_error.includes('disk full'), report.first_error);
}));

test('a failure that nobody awaits is in the report, and nowhere unhandled', () => withSystem(async system => {
  const session = system.openSession();
  session.spawn('fail', 'unseen');
  await after(5);
  const report = await session.close();
  check(report.first_error.includes('unseen'), report.text);
}));

test('a task can be cancelled, with its session or alone', () => withSystem(async system => {
  const session = system.openSession();
  const alone = session.spawn('sleep', 3600000), together = session.spawn('sleep', 3600000);
  await after(2);
  equal(alone.cancel(), true);
  equal((await failureOf(alone)).code, 'cancelled');
  equal(alone.cancel(), false);
  const report = await session.cancel();
  equal((await failureOf(together)).code, 'cancelled');
  equal(report.counters.cancelled, 2);
  check(report.is_clean, report.text);
}));

test('a deadline closes a session by itself', () => withSystem(async system => {
  const session = system.openSession({deadline: 10});
  const e = await failureOf(session.spawn('sleep', 3600000));
  check(e.message.includes('deadline'), e.message);
  equal((await session.close()).cause, 'deadline_exceeded');
}));

test('names and options that are wrong are told at once', () => withSystem(async system => {
  const codeOf = async f => (await failureOf(f)).code;
  const e = await failureOf(() => system.spawn('ehco'));
  equal(e.code, 'unknown_task');
  check(e.message.includes("'ehco'") && e.message.includes('echo'), e.message);
  equal(await codeOf(() => system.spawn('echo', 1, {kind: 'deamon'})), 'invalid_argument');
  equal(await codeOf(() => system.spawn('echo', 1, {prio: 'high'})), 'invalid_argument');
  equal(await codeOf(() => system.openSession({grace: -1})), 'invalid_argument');
  equal(await codeOf(() => system.openSession({grace: '1 s'})), 'invalid_argument');
  equal(await codeOf(() => system.openSession({name: 7})), 'invalid_argument');
  equal(await codeOf(() => troupe.createSystem({budget: 0})), 'invalid_argument');
  equal(await codeOf(() => troupe.createSystem({budget: 1.5})), 'invalid_argument');
  equal(await codeOf(() => troupe.createSystem({functions: {f: 7}})), 'invalid_argument');
  equal(await codeOf(() => troupe.createSystem({onUnfinished: 'beacon'})), 'invalid_argument');
  const circle = {};
  circle.self = circle;
  check(await failureOf(() => system.spawn('echo', circle)) instanceof TypeError);
  equal((await failureOf(system.spawn('notJson'))).code, 'failed');
}));

test('what is used after its close says so', async () => {
  const system = troupe.createSystem();
  const session = system.openSession();
  const first = session.close();
  check(first === session.close(), 'each caller gets the same report');
  equal((await failureOf(() => session.spawn('echo'))).code, 'closed');
  await first;
  equal((await failureOf(() => session.report())).code, 'closed');
  const other = system.openSession();
  await system.close();
  for (const use of [() => system.spawn('echo'), () => system.openSession(), () => other.spawn('echo'),
                     () => other.waitUntil(never), () => system.report()])
    equal((await failureOf(use)).code, 'closed');
  equal((await failureOf(other.close())).code, 'closed');
  check((await system.close()).is_clean);
});

test('a session that closes refuses work', () => withSystem(async system => {
  const session = system.openSession({deadline: 1});
  await after(20);
  equal((await failureOf(session.spawn('echo'))).code, 'session_closed');
  equal((await failureOf(() => session.openSession())).code, 'session_closed');
  equal((await failureOf(() => session.waitUntil(Promise.resolve()))).code, 'session_closed');
  await session.close();
}));

test('the close waits for what waitUntil was given', () => withSystem(async system => {
  const session = system.openSession();
  let written = false;
  session.waitUntil(after(10).then(() => { written = true; }), 'audit');
  const report = await session.close();
  check(written);
  check(report.is_clean, report.text);
}));

test('a rejection of what waitUntil was given fails the session', () => withSystem(async system => {
  const session = system.openSession();
  session.waitUntil(Promise.reject(new RangeError('no more rows')), 'audit');
  const report = await session.close();
  equal(report.outcome, 'failed');
  check(report.first_error.includes('RangeError: no more rows') && report.first_error.includes("'audit'"),
        report.first_error);
}));

test('a promise that never settles is given up after the grace, and named', () => withSystem(async system => {
  const session = system.openSession({grace: 20, budget: 1000});
  session.waitUntil(never, 'audit');
  const report = await session.close();
  equal(report.unsettled_promises, ['audit']);
  equal(report.counters.cancelled, 1);
  check(!report.is_clean);
}));

test('what is under way is named by a report in between, as a page needs it that is being closed', () =>
  withSystem(async system => {
    const session = system.openSession({grace: 10});
    session.spawn('sleep', 3600000, {name: 'upload'});
    session.waitUntil(never, 'beacon');
    await after(2);
    const report = session.report();
    equal(report.survivors.map(survivor => survivor.name).sort(), ['beacon', 'upload']);
    equal(report.unsettled_promises, ['beacon']);
    equal(report.survivors.find(survivor => survivor.name === 'upload').verdict, 'waiting_timer');
    check(report.survivors.find(survivor => survivor.name === 'beacon').kept_alive_by.includes('promise'), report.text);
    await session.cancel();
  }));

let lastSignal;
const functions = {
  double: async n => 2 * n,
  now: n => n + 1,
  nothing: () => undefined,
  rejects: async () => { throw new RangeError('too far'); },
  rejectsWithText: () => Promise.reject('just text'),
  throws: () => { throw new SyntaxError('at once'); },
  circular: async () => { const c = {}; c.c = c; return c; },
  never: (_, {signal}) => { lastSignal = signal; return never; },
};

test('a task awaits what a function of the host comes to', () => withSystem(async system => {
  equal(await system.spawn('call', {function: 'double', arguments: 21}), 42);
  equal(await system.spawn('call', {function: 'now', arguments: 1}), 2);
  equal(await system.spawn('call', {function: 'nothing'}), null);
}, {functions}));

test('what a function rejects with or throws reaches the task, and from there the report', async () => {
  for (const [name, causeName, message] of [
    ['rejects', 'RangeError', 'too far'], ['rejectsWithText', 'Error', 'just text'],
    ['throws', 'SyntaxError', 'at once'], ['circular', 'TypeError', 'circular'],
    ['missing', 'TypeError', 'no function named "missing"'], ['toString', 'TypeError', 'no function named "toString"'],
  ]) {
    const report = await withSystem(async system => {
      const e = await failureOf(system.spawn('call', {function: name}));
      equal([e.code, e.causeName], ['failed', causeName]);
      check(e.message.includes(message), e.message);
    }, {functions});
    check(report.first_error.includes(message), report.text);
  }
});

test('a task waits for a promise no longer than it wants to', () => withSystem(async system => {
  const e = await failureOf(system.spawn('call', {function: 'never', within: 10}));
  equal(e.causeName, 'TimeoutError');
  await after(0);
  check(lastSignal.aborted);
}, {functions}));

test('a cancelled task lets go of its promise, whose signal tells the function', () => withSystem(async system => {
  const session = system.openSession();
  const task = session.spawn('call', {function: 'never'});
  await after(2);
  check(!lastSignal.aborted);
  const report = await session.cancel();
  equal((await failureOf(task)).code, 'cancelled');
  await after(0);
  check(lastSignal.aborted);
  check(report.is_clean, report.text);
}, {functions}));

test('a module may be loaded twice, but not into the same object', async () => {
  const second = await loadProbe();
  const here = troupe.createSystem(), there = second.createSystem();
  equal(await Promise.all([here.spawn('echo', 1), there.spawn('echo', 2)]), [1, 2]);
  check((await here.close()).is_clean);
  equal(await there.spawn('echo', 3), 3);
  check((await there.close()).is_clean);
  const e = await failureOf(load(createProbe, troupe.module));
  equal(e.code, 'invalid_argument');
  const options = {wasm: new Uint8Array([1, 2, 3])};
  check(await failureOf(load(createProbe, options)) instanceof Error);
  equal((await failureOf(load(createProbe, options))).code, 'invalid_argument');
  equal((await failureOf(load(undefined))).code, 'invalid_argument');
  equal((await failureOf(load(async () => ({})))).code, 'invalid_argument');
});

test('blocking is refused at the call, with the reason', () => withSystem(async system => {
  const reason = await system.spawn('block');
  check(reason.includes('must not block') && reason.includes('co_await'), reason);
  await system.cancel();
}));

/** Has a module of its own stopped by `task`. @returns what the host saw as uncaught, and what the module is like then. */
async function stoppedBy(task) {
  const doomed = await loadProbe();
  const system = doomed.createSystem(), other = doomed.createSystem();
  const session = other.openSession();
  const waiting = [session.spawn('sleep', 1), session.spawn('sleep', 3600000)];
  const uncaught = new Promise(resolve => {
    const seen = e => resolve(String((e.error || e).message));
    if (isNode)
      process.once('uncaughtException', seen);
    else
      addEventListener('error', e => { e.preventDefault(); seen(e); }, {once: true});
  });
  const task_ = system.spawn(task);
  return {doomed, system, session, waiting, uncaught, failure: await failureOf(task_)};
}

test('a wait that nothing could end stops the module with the reason, instead of the page', async () => {
  const {doomed, uncaught} = await stoppedBy('receive');
  const reason = await uncaught;
  check(reason.includes('unreachable'), reason);
  const said = doomed.log.join();
  check(said.includes('would wait for ever') && said.includes('co_await'), said);
});

test('a module that has stopped answers nobody any more, and says so to all', async () => {
  const {doomed, system, session, waiting, uncaught, failure} = await stoppedBy('receive');
  await uncaught;
  equal(failure.code, 'stopped');
  check(failure.message.includes('unreachable'), failure.message);
  for (const task of waiting)
    equal((await failureOf(task)).code, 'stopped');
  await after(10); // the timer of the shorter sleep is due, and not heard
  for (const use of [() => doomed.createSystem(), () => doomed.tasks, () => system.spawn('echo'),
                     () => session.waitUntil(after(1)), () => system.report()])
    equal((await failureOf(use)).code, 'stopped');
  equal((await failureOf(session.close())).code, 'stopped');
  await withSystem(async alive => equal(await alive.spawn('echo', 1), 1));
});

test('a module that aborts has stopped, too', async () => {
  const {doomed, failure, waiting, uncaught} = await stoppedBy('abort');
  const reason = await uncaught;
  check(reason.includes('unreachable'), reason);
  check(doomed.log.join().includes('the module has aborted'), doomed.log.join());
  equal(failure.code, 'stopped');
  check(failure.message.includes('aborted'), failure.message);
  equal((await failureOf(waiting[1])).code, 'stopped');
  equal((await failureOf(() => doomed.createSystem())).code, 'stopped');
});

test('a system names the promises that its open sessions wait for', () => withSystem(async system => {
  const outer = system.openSession({name: 'outer', grace: 10}), inner = outer.openSession({name: 'inner', grace: 10});
  inner.waitUntil(never, 'audit');
  system.openSession().waitUntil(after(1), 'short');
  equal(system.report().unsettled_promises, ['audit', 'short']);
  equal(outer.report().unsettled_promises, ['audit']);
  await after(5);
  equal(system.report().unsettled_promises, ['audit']);
  equal((await inner.close()).unsettled_promises, ['audit']);
  equal(outer.report().unsettled_promises, []); // it was said once, by the session that gave it up
  check((await outer.close()).is_clean);
}));

test('a system that is closed while much is under way reports it all', async () => {
  const system = troupe.createSystem({functions});
  const tasks = [];
  for (let i = 0; i < 20; ++i) {
    const session = system.openSession({name: `s${i}`});
    tasks.push(session.spawn('sleep', 3600000), session.spawn('call', {function: 'never'}));
  }
  await after(2);
  const report = await system.cancel();
  equal(report.children_closed, 20);
  check(report.is_clean, report.text);
  for (const task of tasks)
    equal((await failureOf(task)).code, 'cancelled');
});
