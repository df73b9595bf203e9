// Loads the probe module, with its log kept.
import createProbe from './probe_module.mjs';
import {load} from './troupe.mjs';
import {bytesOf} from './harness.mjs';

const code = WebAssembly.compile(await bytesOf('probe_module.wasm'));

export async function loadProbe() {
  const log = [];
  const troupe = await load(createProbe, {wasm: await code, print: line => log.push(line), printErr: line => log.push(line)});
  troupe.log = log;
  return troupe;
}
