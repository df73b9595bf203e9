// The simulator's page, as somebody writes it who uses TypeScript.
import createModule from './explorer.mjs';
import {load, type Session, type TroupeError} from './troupe.mjs';

interface Found {
  schedules: number;
  steps: number;
  failure?: {seed: number; verdict: string; message: string; chart: string};
}

const troupe = await load(createModule, {wasm: new URL('explorer.wasm', import.meta.url)});
const names: string[] = troupe.tasks;
const system = troupe.createSystem({
  functions: {progress: (done: number) => new Promise<void>(resolve => {
    document.title = `${done} ${names.length}`;
    requestAnimationFrame(() => resolve());
  })},
  onUnfinished: (report, why) => {
    if (why === 'closed') navigator.sendBeacon('/reports', JSON.stringify(report));
  },
});

let session: Session | undefined;

export async function explore(scenario: string, seeds: number): Promise<string> {
  session = system.openSession({name: 'explore', onFailure: 'collect', onClose: 'cancel'});
  const task = session.spawn<Found>('explore', {scenario, strategy: 'random', firstSeed: 0, seeds});
  document.getElementById('stop')!.onclick = () => { task.cancel(); };
  return task
    .then(({failure}) => failure?.chart ?? 'ok', (e: TroupeError) => e.code === 'cancelled' ? 'stopped' : e.message)
    .finally(() => session?.close());
}
