// The simulator's page, used as a person would: choose, explore, read.
import {after, check, equal, test} from './harness.mjs';

const frame = document.createElement('iframe');
frame.src = '/examples/sim_page/index.html';
frame.width = 1000;
frame.height = 800;
document.body.append(frame);
const $ = id => frame.contentDocument.getElementById(id);

async function until(condition) {
  while (!condition()) await after(10);
}

async function explore(scenario, seeds, first = 0) {
  $('scenario').value = scenario;
  $('seeds').value = seeds;
  $('first').value = first;
  $('go').click();
  await until(() => !$('go').disabled);
  return $('verdict').textContent;
}

test('the page comes up with its scenarios and strategies', async () => {
  await until(() => frame.contentDocument?.getElementById('go') && !$('go').disabled);
  equal([...$('scenario').options].map(option => option.value), ['checkout-buggy', 'checkout-fixed']);
  check([...$('strategy').options].some(option => option.value === 'random'));
});

test('a correct scenario has no failure', async () => {
  const verdict = await explore('checkout-fixed', 200);
  check(verdict.startsWith('ok: no failure in 200 schedules'), verdict);
  equal($('chart').textContent, '');
});

test('a planted bug is found, shrunk and charted', async () => {
  const verdict = await explore('checkout-buggy', 2000);
  check(/^failed: seed \d+ fails, oversold/.test(verdict), verdict);
  const chart = $('chart').textContent;
  for (const word of ['inventory', 'take_stock', 'oversold'])
    check(chart.includes(word), chart);
});

test('a range that makes no sense is refused in words', async () => {
  const verdict = await explore('checkout-buggy', '');
  check(verdict.includes('seeds is a whole number'), verdict);
});

test('exploring can be stopped', async () => {
  $('scenario').value = 'checkout-fixed';
  $('first').value = 0;
  $('seeds').value = 100000000;
  $('go').click();
  await until(() => $('progress').value > 0 && !$('stop').disabled);
  $('stop').click();
  await until(() => !$('go').disabled);
  equal($('verdict').textContent, 'stopped');
});
