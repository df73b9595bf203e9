// The page around the simulator: what is chosen, how far it is, and what was found. #SCENARIO/STRATEGY/FIRST/SEEDS in
// the address chooses and starts.
import createModule from './explorer.mjs';
import {load} from './troupe.mjs';

const $ = id => document.getElementById(id);
const say = (text, kind = '') => { $('verdict').textContent = text; $('verdict').className = kind; };
const count = (n, what) => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;
// A frame, or a while without one: a page in the background is drawn by nobody.
const drawn = () => new Promise(resolve => { requestAnimationFrame(resolve); setTimeout(resolve, 50); });

const troupe = await load(createModule, {wasm: new URL('explorer.wasm', import.meta.url)});
const system = troupe.createSystem({
  functions: {progress: done => { $('progress').value = done; return drawn(); }},
});
let session;

async function explore() {
  const seeds = $('seeds').valueAsNumber, started = performance.now();
  $('go').disabled = true;
  $('stop').disabled = false;
  $('chart').textContent = '';
  $('progress').max = seeds || 1;
  $('progress').value = 0;
  say('exploring');
  session = system.openSession({name: 'explore', onFailure: 'collect'});
  try {
    const found = await session.spawn('explore', {
      scenario: $('scenario').value, strategy: $('strategy').value,
      firstSeed: $('first').valueAsNumber, seeds,
    });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const {failure} = found;
    if (!failure) {
      say(`ok: no failure in ${count(found.schedules, 'schedule')} and ${count(found.steps, 'event')}, ${seconds} s`, 'ok');
    } else {
      say(`${failure.verdict}: seed ${failure.seed} fails, ${failure.message} ` +
          `(${count(found.schedules, 'schedule')}, ${seconds} s; shrunk from ` +
          `${failure.deliveriesBefore} to ${failure.deliveriesAfter} deliveries)`, 'bad');
      $('chart').textContent = failure.chart;
    }
  } catch (e) {
    say(e.code === 'cancelled' ? 'stopped' : e.message, e.code === 'cancelled' ? '' : 'bad');
  } finally {
    await session.close();
    $('progress').value = $('progress').max;
    $('go').disabled = false;
    $('stop').disabled = true;
  }
}

const {scenarios, strategies} = await system.spawn('list');
for (const {name} of scenarios) $('scenario').add(new Option(name));
for (const name of strategies) $('strategy').add(new Option(name, name, name === 'random', name === 'random'));
const describe = () => {
  $('description').textContent = scenarios.find(each => each.name === $('scenario').value)?.description ?? '';
};
$('scenario').onchange = describe;
$('form').onsubmit = e => { e.preventDefault(); explore(); };
$('stop').onclick = () => session.cancel();

const [scenario, strategy, first, seeds] = decodeURIComponent(location.hash.slice(1)).split('/');
if (scenario) $('scenario').value = scenario;
if (strategy) $('strategy').value = strategy;
if (first) $('first').value = first;
if (seeds) $('seeds').value = seeds;
describe();
$('go').disabled = false;
if (seeds) explore();
