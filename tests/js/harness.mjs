// Runs tests in node and in a browser, one after the other, and says how many passed in doctest's words.
const tests = [];
const isNode = typeof process !== 'undefined' && !!process.versions?.node;

export function test(name, body) { tests.push({name, body}); }

export function check(condition, what = 'a check') {
  if (!condition) throw new Error(`failed: ${what}`);
}

export function equal(a, b) {
  const [left, right] = [a, b].map(value => JSON.stringify(value));
  if (left !== right) throw new Error(`${left} is not ${right}`);
}

/** What a promise is rejected with, or a function throws. */
export async function failureOf(what) {
  try {
    await (typeof what === 'function' ? what() : what);
  } catch (e) {
    return e;
  }
  throw new Error('it should have failed');
}

export const after = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

/** The bytes of a file beside this one. */
export async function bytesOf(name) {
  const url = new URL(name, import.meta.url);
  if (isNode) return (await import('node:fs')).readFileSync(url);
  return (await fetch(url)).arrayBuffer();
}

export async function run(print) {
  let passed = 0;
  for (const {name, body} of tests) {
    let timer;
    try {
      const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('takes too long')), 30000); });
      await Promise.race([body(), late]);
      ++passed;
    } catch (e) {
      print(`FAILED: ${name}\n  ${e && e.stack || e}`);
    } finally {
      clearTimeout(timer);
    }
  }
  const failed = tests.length - passed;
  print(`test cases: ${tests.length} | ${passed} passed | ${failed} failed | 0 skipped`);
  return failed || passed === 0 ? 1 : 0;
}
