// The entry point for a host that imports WebAssembly as compiled modules, as Cloudflare's does.
import createModule from './worker_module.mjs';
import wasm from './worker_module.wasm';
import {makeWorker} from './shop_worker.mjs';

export default makeWorker(createModule, wasm);
