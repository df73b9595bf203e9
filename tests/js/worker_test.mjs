// The worker example, in a host that does what Cloudflare's does: requests, a key-value store, and waitUntil.
import {check, equal, test} from './harness.mjs';

const {readFileSync} = await import('node:fs');
const {gzipSync} = await import('node:zlib');
const folder = new URL('file://' + process.argv[3] + '/');
const {default: createModule} = await import(new URL('worker_module.mjs', folder));
const {makeWorker} = await import(new URL('shop_worker.mjs', folder));
const wasm = new WebAssembly.Module(readFileSync(new URL('worker_module.wasm', folder)));
const worker = makeWorker(createModule, wasm);

/** A host with one key-value namespace. `ask` gives the response as soon as it is there, `settle` awaits the rest. */
function host(stock, store = {}) {
  const values = new Map([['levels', JSON.stringify(stock)]]);
  const pending = [];
  const reports = [];
  const env = {
    GRACE_MS: 50,
    STOCK: {
      get: async key => JSON.parse(values.get(key)),
      put: async (key, value) => { values.set(key, value); },
      ...store,
    },
    report: report => reports.push(report),
  };
  const ask = async (method, path, body) => {
    const request = new Request(`https://shop.example${path}`, {method, body: body && JSON.stringify(body)});
    const response = await worker.fetch(request, env, {waitUntil: promise => pending.push(promise)});
    return {status: response.status, body: await response.json()};
  };
  return {ask, reports, levels: () => JSON.parse(values.get('levels')), write: (key, value) => values.set(key, value),
          settle: () => Promise.all(pending)};
}

test('an order is placed, stored and shown, and the stock is written after the answer', async () => {
  let write;
  const writing = new Promise(resolve => { write = resolve; });
  const shop = host({book: 2}, {put: async (key, value) => { await writing; shop.write(key, value); }});
  const placed = await shop.ask('POST', '/orders', {sku: 'book', quantity: 1});
  equal(placed.status, 201);
  equal(shop.levels(), {book: 2});
  write();
  await shop.settle();
  equal(shop.levels(), {book: 1});
  const shown = await shop.ask('GET', `/orders/${placed.body.id}`);
  equal([shown.status, shown.body.sku, shown.body.quantity], [200, 'book', 1]);
  equal((await shop.ask('POST', '/orders', {sku: 'book', quantity: 2})).status, 409);
  equal((await shop.ask('POST', '/orders', {sku: 'lamp', quantity: 1})).status, 404);
  equal((await shop.ask('POST', '/orders', {sku: 'book'})).status, 400);
  equal((await shop.ask('GET', '/orders/999999')).status, 404);
  equal((await shop.ask('GET', '/healthz')).status, 200);
  await shop.settle();
  equal(shop.reports.length, 7);
  for (const report of shop.reports)
    check(report.is_clean, report.text);
});

test('many requests at once have each their own system, and each closes clean', async () => {
  const shop = host({book: 1000});
  const answers = await Promise.all(Array.from({length: 200}, (_, i) =>
    i % 2 ? shop.ask('GET', '/healthz') : shop.ask('POST', '/orders', {sku: 'book', quantity: 1})));
  equal(answers.map(answer => answer.status), answers.map((_, i) => (i % 2 ? 200 : 201)));
  await shop.settle();
  equal(shop.reports.length, 200);
  check(shop.reports.every(report => report.is_clean));
});

test('a promise that rejects after the answer is in the report', async () => {
  const shop = host({book: 1}, {put: async () => { throw new Error('the store is read-only'); }});
  equal((await shop.ask('POST', '/orders', {sku: 'book', quantity: 1})).status, 201);
  const {error} = console;
  console.error = () => {};
  await shop.settle().finally(() => { console.error = error; });
  equal(shop.reports[0].outcome, 'failed');
  check(shop.reports[0].first_error.includes('the store is read-only'), shop.reports[0].text);
});

test('a promise that never settles holds the isolate for the grace and no longer, and is named', async () => {
  const shop = host({book: 1}, {put: () => new Promise(() => {})});
  equal((await shop.ask('POST', '/orders', {sku: 'book', quantity: 1})).status, 201);
  const {error} = console;
  console.error = () => {};
  const started = performance.now();
  await shop.settle().finally(() => { console.error = error; });
  check(performance.now() - started < 5000);
  equal(shop.reports[0].unsettled_promises, ['stock']);
});

test('what is deployed has at most 400 kB, gzipped', async () => {
  const size = ['worker_module.wasm', 'worker_module.mjs', 'troupe.mjs', 'shop_worker.mjs', 'index.mjs']
    .map(name => gzipSync(readFileSync(new URL(name, folder)), {level: 9}).length).reduce((a, b) => a + b);
  console.log(`the worker has ${size} bytes, gzipped`);
  check(size <= 400_000, `${size} bytes`);
});
