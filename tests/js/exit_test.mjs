// A program of node's that ends while work is under way.
import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {check, equal, test} from './harness.mjs';

const helper = fileURLToPath(new URL('exiting.mjs', import.meta.url));
const flags = parseInt(process.versions.node) < 20 ? ['--experimental-wasm-return-call'] : [];

function ended(how) {
  const {status, stdout, stderr} = spawnSync(process.execPath, [...flags, helper, how], {encoding: 'utf8', timeout: 25000});
  return {status, stdout, stderr};
}

test('a program that ends says what was unfinished', () => {
  const {status, stderr} = ended('exit');
  equal(status, 3);
  for (const word of ['Troupe: the program has ended', "'upload'", 'waiting_timer', 'not settled: audit'])
    check(stderr.includes(word), stderr);
});

test('a program with nothing left to do but a promise that never settles says so, too', () => {
  const {stderr} = ended('wait');
  for (const word of ['Troupe: the program has ended', "'audit'", 'not settled: audit'])
    check(stderr.includes(word), stderr);
});

test('a program that dies of an error tells both', () => {
  const {status, stderr} = ended('throw');
  check(status !== 0);
  check(stderr.includes('out of paper') && stderr.includes("'upload'"), stderr);
});

test('onUnfinished gets the report instead', () => {
  const {stdout, stderr} = ended('told');
  equal(JSON.parse(stdout), {why: 'exit', survivors: ['upload']});
  equal(stderr, '');
});

test('a program that has closed its systems ends in silence', () => {
  const {status, stdout, stderr} = ended('closed');
  equal([status, stdout, stderr], [0, '', '']);
});
