// The page of a report, used as a person would: looked at, searched, filtered, stepped through.
import {after, check, equal, test} from './harness.mjs';

async function until(condition, what) {
  for (let i = 0; !condition(); ++i) {
    if (i === 1000) throw new Error(`never: ${what}`);
    await after(10);
  }
}

/// Opens a page in a frame of a window of that size. @returns what there is to do with it
async function open(name, width = 1400, height = 900, theme = 'light') {
  document.querySelector('iframe')?.remove();
  const frame = document.createElement('iframe');
  Object.assign(frame, {width, height, src: `${name}.html#theme=${theme}`});
  document.body.append(frame);
  await until(() => frame.contentDocument?.body?.dataset.readyMs, `${name} is ready`);
  const $ = id => frame.contentDocument.getElementById(id);
  const all = selector => [...frame.contentDocument.querySelectorAll(selector)];
  return {
    window: frame.contentWindow, document: frame.contentDocument, $, all,
    readyMs: +frame.contentDocument.body.dataset.readyMs,
    pane: run => frame.contentDocument.querySelector(`.pane[data-run="${run}"]`),
    key: (key, more = {}) =>
      frame.contentDocument.activeElement.dispatchEvent(new frame.contentWindow.KeyboardEvent('keydown', {key, bubbles: true, cancelable: true, ...more})),
    type: (id, text) => {
      $(id).value = text;
      $(id).dispatchEvent(new frame.contentWindow.Event('input', {bubbles: true}));
    },
    numbers: run => all(`.pane[data-run="${run}"] .row`).map(row => +row.dataset.number),
    chosen: () => $('chosen')?.textContent,
    frame: () => new Promise(done => frame.contentWindow.requestAnimationFrame(() => frame.contentWindow.requestAnimationFrame(done))),
  };
}

const actors = page => page.all('.pane[data-run="failing"] .actor').map(each => each.textContent.trim());

test('actors are columns, events are rows, what cannot matter is left out', async () => {
  const page = await open('small');
  equal(actors(page), ['test', 'firstbuyer#2', 'secondbuyer#3', 'stock#1']);
  equal(page.numbers('failing'), [1, 2, 3, 5, 6, 7]);
  check(page.pane('failing').querySelector('.row[data-number="6"] .label').textContent === 'reserve(1)');
  page.$('matters').click();
  equal(page.numbers('failing'), [1, 2, 3, 4, 5, 6, 7]);
  equal(actors(page).length, 5);
});

test('the head has verdict, message, seed, race and the command', async () => {
  const page = await open('small');
  equal(page.$('verdict').textContent, '✗ failed');
  equal(page.$('message').textContent, 'oversold: -1 left');
  check(page.$('facts').textContent.includes('17'));
  equal(page.$('replay').textContent, 'shop replay oversell --tape oversell-17.tape');
  check(page.$('race').textContent.includes('racing pair: 5 and 6'));
  check(page.$('wakeup').textContent === 'lost wakeup: clock#4 waits for tick' && !page.$('wakeup').hidden);
});

test('the two runs stand side by side, the racing pair marked in both, in the other order', async () => {
  const page = await open('small');
  const boxes = ['failing', 'passing'].map(run => page.pane(run).getBoundingClientRect());
  check(boxes[0].right <= boxes[1].left + 1 && boxes[1].width > 300, 'side by side');
  const racing = run => [...page.pane(run).querySelectorAll('.row.racing')].map(row => [row.querySelector('.label').textContent, row.querySelector('.sign').textContent]);
  equal(racing('failing'), [['read', '⇅'], ['reserve(1)', '⇅']]);
  equal(racing('passing'), [['reserve(1)', '⇅'], ['read', '⇅']]);
  equal(page.pane('failing').querySelector('.row.failing').dataset.number, '7');
  equal(page.pane('passing').querySelectorAll('.row.failing').length, 0);
  // What only one of them has.
  equal([...page.pane('failing').querySelectorAll('.row.only')].map(row => row.dataset.number), ['7']);
});

test('the page comes up at the racing pair, and r goes from one of it to the other', async () => {
  const page = await open('small');
  equal(page.chosen(), 'Event 5');
  page.key('r');
  equal(page.chosen(), 'Event 6');
  page.key('r');
  equal(page.chosen(), 'Event 5');
});

test('keys step through it, with payload and state at each step', async () => {
  const page = await open('small');
  page.key('Home');
  equal(page.chosen(), 'Event 1');
  page.key('ArrowDown');
  page.key('j');
  equal(page.chosen(), 'Event 3');
  equal(page.$('payload').textContent, "('read')");
  equal(page.$('state').textContent, 'left: 1');
  page.key('ArrowDown', {shiftKey: true});
  equal(page.chosen(), 'Event 5'); // at the same place
  page.key('c');
  equal(page.chosen(), 'Event 2'); // its cause
  page.key('e');
  equal(page.chosen(), 'Event 5'); // the first effect of that
  page.key('x');
  equal(page.chosen(), 'Event 7'); // where it failed
  check(page.$('details').querySelector('table').textContent.includes('left: -1'), 'the states by then');
  page.key('k');
  equal(page.chosen(), 'Event 6');
  page.key('End');
  equal(page.chosen(), 'Event 7');
});

test('choosing an event chooses it in the other run too', async () => {
  const page = await open('small');
  page.pane('failing').querySelector('.row[data-number="6"]').dispatchEvent(
    new page.window.MouseEvent('mousedown', {bubbles: true}));
  equal(page.pane('passing').querySelector('.row.picked').dataset.number, '5');
});

test('the search counts its hits and goes through them', async () => {
  const page = await open('small');
  page.key('/');
  equal(page.document.activeElement.id, 'search');
  page.key('Home'); // belongs to the field, not to the page
  page.type('search', 'reserve');
  equal(page.chosen(), 'Event 6');
  equal(page.$('hits').textContent, '1 of 2');
  equal(page.pane('failing').querySelectorAll('.row.hit').length, 2);
  page.key('Escape');
  page.key('n');
  equal(page.chosen(), 'Event 7');
  equal(page.$('hits').textContent, '2 of 2');
  page.key('N');
  equal(page.chosen(), 'Event 6');
  page.type('search', 'nothing like it');
  equal(page.$('hits').textContent, 'none');
});

test('filters by text and by actor', async () => {
  const page = await open('small');
  page.type('filter', 'read');
  equal(page.numbers('failing'), [3, 5]);
  page.type('filter', '');
  const column = page.all('.pane[data-run="failing"] .actor').find(each => each.textContent.includes('first'));
  column.click();
  equal(page.numbers('failing'), [1, 3, 6]);
  page.all('.pane[data-run="failing"] .actor.focus')[0].click();
  page.$('actors').click();
  const box = page.all('#choice input').find(each => each.parentElement.textContent.includes('second'));
  box.click();
  page.$('choice').close();
  equal(page.numbers('failing'), [1, 3, 6]);
  equal(actors(page), ['test', 'firstbuyer#2', 'stock#1']);
});

test('a run without a racing pair stands alone', async () => {
  const page = await open('single');
  equal(page.all('.pane').length, 1);
  check(page.$('views').hidden);
  equal(page.$('verdict').textContent, '✓ ok');
});

test('ten thousand events come up and scroll at once', async () => {
  const page = await open('large');
  check(page.readyMs < 2000, `ready in ${page.readyMs} ms`);
  check(page.all('.row').length < 300, 'only what can be seen exists');
  equal(page.chosen(), 'Event 9992');
  const scroll = page.pane('failing').querySelector('.scroll');
  const took = [];
  for (let i = 0; i < 40; ++i) {
    const began = performance.now();
    scroll.scrollTop = i * 6491 % (10000 * 26 - 900);
    await page.frame();
    took.push(performance.now() - began);
    const numbers = page.numbers('failing');
    const first = Math.floor(scroll.scrollTop / 26) + 1;
    check(numbers[0] <= first && numbers[numbers.length - 1] >= first + 10, `row ${first} is there`);
  }
  took.sort((a, b) => a - b);
  check(took[20] < 250, `median frame ${took[20]} ms`);
  console.log(`10,000 events: ready in ${page.readyMs} ms, median scroll step ${took[20].toFixed(1)} ms`);
  page.type('search', 'append(96)');
  check(/of 103$/.test(page.$('hits').textContent), page.$('hits').textContent);
  page.key('Home');
});

test('labels do not overlap each other, in a wide window or a narrow one', async () => {
  for (const [name, width] of [['small', 1400], ['small', 620], ['large', 1400], ['large', 620]]) {
    const page = await open(name, width, 800);
    for (const row of page.all('.pane:not([hidden]) .row')) {
      const label = row.querySelector('.label').getBoundingClientRect(), box = row.getBoundingClientRect();
      check(label.top >= box.top && label.bottom <= box.bottom, 'a label within its row');
      const gutter = row.querySelector('.gutter');
      for (const cell of gutter.children) {
        const text = page.document.createRange();
        text.selectNodeContents(cell);
        check(text.getBoundingClientRect().width <= cell.clientWidth - 3, `${cell.textContent} fits at ${width}`);
      }
    }
    const heads = page.all('.pane:not([hidden]) .actor').map(each => each.getBoundingClientRect());
    check(heads.every(box => box.width >= 100), 'columns are wide enough');
    check(page.document.documentElement.scrollWidth <= width, `nothing sticks out at ${width}`);
    check(page.pane('failing').querySelector('.scroll').clientHeight > 200, `room for the chart at ${width}`);
  }
});

test('light and dark differ and both can be read', async () => {
  const contrast = (a, b) => {
    const light = c => {
      const [r, g, bl] = c.match(/[\d.]+/g).map(v => +v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
      return .2126 * r + .7152 * g + .0722 * bl;
    };
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + .05) / (y + .05);
  };
  const grounds = [];
  for (const theme of ['light', 'dark']) {
    const page = await open('small', 1400, 900, theme);
    const style = element => page.window.getComputedStyle(element);
    grounds.push(style(page.document.body).backgroundColor);
    for (const selector of ['.row .label', '.row.racing:not(.picked) .label', '.row.failing .label', '.actor b']) {
      const element = page.document.querySelector(selector);
      const ground = selector.includes('actor') ? style(page.document.body).backgroundColor : style(element).backgroundColor;
      check(contrast(style(element).color, ground) >= 4.5, `${selector} in ${theme}`);
    }
  }
  check(grounds[0] !== grounds[1]);
});

test('nothing is loaded from anywhere', async () => {
  const page = await open('small');
  equal(page.window.performance.getEntriesByType('resource').filter(each => !each.name.startsWith('data:')).map(each => each.name), []);
  check(page.document.querySelector('meta[http-equiv="Content-Security-Policy"]').content.startsWith("default-src 'none'"));
});
