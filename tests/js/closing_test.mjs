// A page that is closed mid-flight, in a browser: what was unfinished is told, and nothing is lost in silence.
import {after, check, equal, test} from './harness.mjs';

let last = 0;

/** What the page noted down that had `key`, once `count` notes are there. */
async function notes(key, count) {
  const read = () => JSON.parse(localStorage.getItem(key) ?? '[]');
  while (read().length < count) await after(5);
  return read();
}

const isReady = key => localStorage.getItem(`${key}/ready`);

/** A page in a frame, which has work under way when this returns. */
async function framed(how) {
  const key = `frame-${++last}`, frame = document.createElement('iframe');
  localStorage.removeItem(key);
  localStorage.removeItem(`${key}/ready`);
  frame.src = `closing.html#${key}/${how}`;
  document.body.append(frame);
  while (!isReady(key)) await after(5);
  return {key, frame};
}

const unfinished = {
  why: 'closed', path: 'root', survivors: ['checkout'],
  children: [{name: 'checkout', survivors: ['upload', 'fetch', 'audit']}], promises: ['audit'],
};

/** The order of survivors is not a part of the promise. */
function sameWork(note, why = 'closed') {
  const sorted = {...note, children: note.children.map(child => ({...child, survivors: child.survivors.sort()}))};
  equal(sorted, {...unfinished, why, children: [{name: 'checkout', survivors: ['audit', 'fetch', 'upload']}]});
}

for (const [what, close] of [
  ['removed', frame => frame.remove()],
  ['reloaded', frame => frame.contentWindow.location.reload()],
  ['navigated away', frame => { frame.src = 'about:blank'; }],
])
  test(`a page that is ${what} tells what was unfinished, and the calls of its functions are aborted`, async () => {
    const {key, frame} = await framed('told');
    close(frame);
    const [report, aborted] = await notes(key, 2);
    sameWork(report);
    equal(aborted, {aborted: true});
    frame.remove();
  });

test('a window that is closed tells it, too, and a beacon brings the report to the server', async () => {
  const key = `window-${++last}`;
  const page = window.open(`closing.html#${key}/told`);
  check(page, 'a window could be opened');
  while (!isReady(key)) await after(5);
  page.close();
  sameWork((await notes(key, 2))[0]);
  const arrived = async () => (await (await fetch('/notes')).json()).find(each => each.key === key);
  let beacon;
  while (!(beacon = await arrived())) await after(20);
  equal(beacon.why, 'closed');
  for (const name of ['upload', 'fetch', 'audit'])
    check(beacon.text.includes(name), beacon.text);
});

test('a page that the browser keeps goes on when it comes back: it is told of, and not cancelled', async () => {
  const key = `kept-${++last}`;
  // Without an opener: a page that another one can see is not kept.
  window.open(`closing.html#${key}/leave`, '_blank', 'noopener');
  const [report, back, uploaded] = await notes(key, 3);
  sameWork(report, 'suspended');
  equal(back, {back: true});
  equal(uploaded, {uploaded: true});
});

test('without anybody to tell, the console has it', async () => {
  const {key, frame} = await framed('default');
  frame.remove();
  const [{warned}] = await notes(key, 1);
  for (const word of ['Troupe', 'closed', "'upload'", 'waiting_timer'])
    check(warned.includes(word), warned);
});

test('who cannot take a report does not keep the others from theirs', async () => {
  const {key, frame} = await framed('throws');
  frame.remove();
  const [error, report] = await notes(key, 2);
  equal(error, {error: 'no room for a report'});
  equal([report.why, report.survivors], ['closed', ['second']]);
});

test('a system in which nothing is under way, or that was closed, says nothing', async () => {
  const {key, frame} = await framed('clean');
  frame.remove();
  await after(50);
  equal(await notes(key, 0), []);
});
