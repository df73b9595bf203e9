// The worker example's host, as somebody writes it who uses TypeScript.
import createModule from './worker_module.mjs';
import {load, TroupeError, type CleanupReport, type Session, type System, type Troupe} from './troupe.mjs';

interface Env {
  STOCK: {get(key: string, kind: 'json'): Promise<{[sku: string]: number}>; put(key: string, value: string): Promise<void>};
  GRACE_MS?: number;
}
interface Context {
  waitUntil(promise: Promise<unknown>): void;
}
interface Answer {
  status: number;
  body: string;
}

let loading: Promise<Troupe> | undefined;

async function finish(session: Session, system: System): Promise<void> {
  const request: CleanupReport = await session.close({budget: 5_000});
  const whole = await system.close();
  for (const {name, verdict, kept_alive_by} of [...request.survivors, ...whole.survivors])
    console.error(`${name}: ${verdict}, ${kept_alive_by}`);
}

export function makeWorker(wasm: WebAssembly.Module) {
  return {
    async fetch(request: Request, env: Env, ctx: Context): Promise<Response> {
      const troupe = await (loading ??= load(createModule, {wasm}));
      const system = troupe.createSystem({config: {stock: await env.STOCK.get('levels', 'json')}, budget: 64});
      const session = system.openSession({grace: env.GRACE_MS ?? 30_000, onFailure: 'collect'});
      try {
        const task = session.spawn<Answer>('handle', {method: request.method, body: await request.text()},
                                           {priority: 'critical'});
        const {status, body} = await task;
        return new Response(body, {status});
      } catch (e) {
        if (e instanceof TroupeError && e.code === 'stopped')
          loading = undefined; // the next request loads it anew
        return new Response(String(e), {status: 500});
      } finally {
        ctx.waitUntil(finish(session, system));
      }
    },
  };
}
