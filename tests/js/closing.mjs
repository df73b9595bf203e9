// A page that is closed while work is under way. #KEY/HOW: where it notes down what it saw, for the page that outlives it
// (closing_test.mjs), and what it does with its systems.
import {loadProbe} from './probe.mjs';

const [key, how] = location.hash.slice(1).split('/');
// localStorage is written at once: a page that goes has no later.
const note = what => localStorage.setItem(key, JSON.stringify([...JSON.parse(localStorage.getItem(key) ?? '[]'), what]));

const troupe = await loadProbe();
const never = new Promise(() => {});
const functions = {
  fetchSlowly: (_, {signal}) => {
    signal.addEventListener('abort', () => note({aborted: true}));
    return never;
  },
};
const told = {
  onUnfinished(report, why) {
    note({why, path: report.path, survivors: report.survivors.map(each => each.name),
          children: report.children.map(child => ({name: child.name, survivors: child.survivors.map(each => each.name)})),
          promises: report.unsettled_promises});
    navigator.sendBeacon('/notes', JSON.stringify({key, why, text: report.text}));
  },
};

if (how === 'default') {
  console.warn = text => note({warned: text});
  troupe.createSystem({functions}).spawn('sleep', 3600000, {name: 'upload'});
} else if (how === 'throws') {
  console.error = e => note({error: e.message});
  troupe.createSystem({onUnfinished: () => { throw new Error('no room for a report'); }}).spawn('sleep', 3600000);
  troupe.createSystem(told).spawn('sleep', 3600000, {name: 'second'});
} else if (how === 'clean') {
  await troupe.createSystem(told).spawn('echo', 1); // nothing is under way in it
  const closed = troupe.createSystem(told);
  closed.spawn('sleep', 3600000);
  await closed.cancel();
} else {
  const system = troupe.createSystem({...told, functions});
  const session = system.openSession({name: 'checkout'});
  session.spawn('sleep', how === 'leave' ? 3000 : 3600000, {name: 'upload'}).then(() => note({uploaded: true}), e => note({upload: e.code}));
  session.spawn('call', {function: 'fetchSlowly'}, {name: 'fetch'});
  session.waitUntil(never, 'audit');
}
addEventListener('pageshow', e => { if (e.persisted) note({back: true}); });
await new Promise(resolve => setTimeout(resolve, 5)); // what was spawned has begun
localStorage.setItem(`${key}/ready`, '1');
if (how === 'leave')
  setTimeout(() => { location.href = 'back.html'; }, 0);
