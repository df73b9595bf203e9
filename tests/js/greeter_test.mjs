// The example of the documentation says what it should.
import {equal, test} from './harness.mjs';

test('the greeter greets', async () => {
  const lines = [];
  const {log} = console;
  console.log = line => lines.push(line);
  await import(new URL('greeter.mjs', 'file://' + process.argv[3] + '/')).finally(() => { console.log = log; });
  equal(lines, ['{"hello":{"id":7,"name":"Emma","aborted":false}}']);
});
