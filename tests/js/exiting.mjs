// A program that ends in one of several ways: node exiting.mjs HOW (exit_test.mjs).
import {loadProbe} from './probe.mjs';

const how = process.argv[2];
const troupe = await loadProbe();
const never = new Promise(() => {});

if (how === 'wait') {
  troupe.createSystem().waitUntil(never, 'audit');
} else if (how === 'told') {
  const onUnfinished = (report, why) => {
    console.log(JSON.stringify({why, survivors: report.survivors.map(each => each.name)}));
  };
  troupe.createSystem({onUnfinished}).spawn('sleep', 3600000, {name: 'upload'});
  setTimeout(() => process.exit(), 5);
} else {
  const system = troupe.createSystem();
  system.waitUntil(how === 'closed' ? Promise.resolve() : never, 'audit');
  system.spawn('sleep', 3600000, {name: 'upload'});
  await new Promise(resolve => setTimeout(resolve, 5));
  if (how === 'exit')
    process.exit(3);
  if (how === 'throw')
    throw new Error('out of paper');
  await system.cancel();
}
