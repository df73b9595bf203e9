// The checkout shop as a worker: fetch(request, env, ctx). A timer belongs to the request that armed it, so each
// request has a system of its own.
import {load} from './troupe.mjs';

const jsonHeaders = {'content-type': 'application/json'};
const failed = (status, error) => new Response(JSON.stringify({error}), {status, headers: jsonHeaders});

/**
 * @param createModule what worker_module.mjs exports
 * @param wasm the compiled worker_module.wasm
 * @returns an object with the `fetch` of a worker. Its `env` has STOCK, a key-value namespace with the stock under the
 * key "levels", and optionally GRACE_MS and `report(report)`, which gets the cleanup report of each request.
 */
export function makeWorker(createModule, wasm) {
  let loading;

  async function sell(env, {sku, quantity}) {
    // A key-value store has no transactions. A shop that must not oversell keeps its stock in a Durable Object.
    const levels = await env.STOCK.get('levels', 'json');
    levels[sku] -= quantity;
    await env.STOCK.put('levels', JSON.stringify(levels));
  }

  /** Everything has to end within the session's grace; then its report says what did not. */
  async function finish(session, system, env) {
    const request = await session.close();
    const whole = await system.close();
    const report = request.is_clean ? whole : request;
    if (!report.is_clean)
      console.error(report.text, ...report.unsettled_promises);
    env.report?.(report);
  }

  return {
    async fetch(request, env, ctx) {
      const troupe = await (loading ??= load(createModule, {wasm}));
      const {pathname, search} = new URL(request.url);
      const body = request.method === 'POST' ? await request.text() : '';
      const system = troupe.createSystem({config: {stock: await env.STOCK.get('levels', 'json')}});
      const session = system.openSession({
        name: `${request.method} ${pathname}`.slice(0, 80),
        deadline: 10_000 + 2 * (env.GRACE_MS ?? 30_000),
        grace: env.GRACE_MS ?? 30_000,
      });
      try {
        const answer = await session.spawn('handle', {method: request.method, target: pathname + search, body});
        if (answer.status === 201)
          session.waitUntil(sell(env, JSON.parse(answer.body)), 'stock');
        return new Response(answer.body, {status: answer.status, headers: jsonHeaders});
      } catch (e) {
        return failed(500, e.message);
      } finally {
        // The response goes out now; the isolate stays until the session has closed.
        ctx.waitUntil(finish(session, system, env));
      }
    },
  };
}
