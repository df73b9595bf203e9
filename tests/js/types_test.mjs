// The types of troupe.mjs: programs of TypeScript that use them compile, mistakes do not, and what they say is there.
// run_in_node.mjs types_test.mjs JS_SOURCES TYPES_SOURCES FOLDER_OF_A_MODULE...
import {spawnSync} from 'node:child_process';
import {accessSync, copyFileSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {delimiter, dirname, join} from 'node:path';
import {check, equal, failureOf, test} from './harness.mjs';
import {loadProbe} from './probe.mjs';
import * as real from './troupe.mjs';

const [sources, types, ...modules] = process.argv.slice(3);
const exists = path => { try { accessSync(path); return true; } catch { return false; } };
const tsc = (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, 'tsc')).find(exists);
if (!tsc) {
  console.log("SKIPPED: no tsc (Debian's package node-typescript)");
  process.exit(77);
}
const ts = createRequire(import.meta.url)(join(dirname(realpathSync(tsc)), '..', 'lib', 'typescript.js'));

// -- programs that use them ------------------------------------------------------

const folder = mkdtempSync(join(tmpdir(), 'troupe-types-'));
process.on('exit', () => rmSync(folder, {recursive: true, force: true}));
for (const from of [types, ...modules])
  for (const name of readdirSync(from))
    if (/\.(mts|mjs|wasm)$/.test(name)) copyFileSync(join(from, name), join(folder, name));
const programs = readdirSync(types).filter(name => name.endsWith('.mts'));
const options = ['--strict', '--target', 'es2022', '--module', 'es2022', '--lib', 'es2022,dom'];

const compile = (...more) => spawnSync(tsc, [...options, ...more], {cwd: folder, encoding: 'utf8'});

for (const resolution of ['node16', 'node'])
  test(`programs compile, and each of their mistakes is found (moduleResolution ${resolution})`, () => {
    const {status, stdout} = compile('--moduleResolution', resolution, '--outDir', resolution, ...programs);
    equal([status, stdout], [0, '']);
  });

test('each mistake is one', () => {
  const text = readFileSync(join(folder, 'wrong.mts'), 'utf8');
  equal(mistakesOf(text.replace(/ *\/\/ @ts-expect-error.*\n/g, '')), text.match(/@ts-expect-error/g).length);
});

/** How many errors tsc has for a program of that text. */
function mistakesOf(text) {
  const path = join(folder, 'mistakes.mts');
  const settings = {strict: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, noEmit: true,
                    moduleResolution: ts.ModuleResolutionKind.Node16, lib: ['lib.es2022.d.ts', 'lib.dom.d.ts']};
  const host = ts.createCompilerHost(settings);
  const {getSourceFile, fileExists} = host;
  host.getSourceFile = (name, ...rest) =>
    name === path ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022) : getSourceFile(name, ...rest);
  host.fileExists = name => name === path || fileExists(name);
  return ts.getPreEmitDiagnostics(ts.createProgram([path], settings, host)).length;
}

test('the greeter of TypeScript greets', async () => {
  const {status, stdout} = compile('--moduleResolution', 'node16', 'greeter.mts');
  equal([status, stdout], [0, '']);
  const {greet} = await import(join(folder, 'greeter.mjs'));
  const lines = [];
  const {log} = console;
  console.log = line => lines.push(line);
  const report = await greet(readFileSync(join(folder, 'greeter_module.wasm'))).finally(() => { console.log = log; });
  equal(lines, ['Emma']);
  check(report.is_clean, report.text);
});

// -- what they say, and what is there ----------------------------------------------

const declared = ts.createSourceFile('troupe.d.mts', readFileSync(join(sources, 'troupe.d.mts'), 'utf8'),
                                     ts.ScriptTarget.ES2022);
const statements = declared.statements.filter(each => each.modifiers?.some(m => m.kind === ts.SyntaxKind.ExportKeyword));
const named = name => statements.find(each => each.name.text === name);
const membersOf = name => named(name).members.filter(member => member.name);
const namesOf = name => [...new Set(membersOf(name).map(member => member.name.text))];
const literalsOf = type => type.types.map(each => each.literal.text);
const sorted = names => [...names].sort();

test('what the types export is exported, and nothing else', () => {
  const values = statements.filter(each => ts.isClassDeclaration(each) || ts.isFunctionDeclaration(each));
  equal(sorted(values.map(each => each.name.text)), sorted(Object.keys(real)));
  for (const each of values)
    equal(typeof real[each.name.text], 'function');
});

test('each class has the members that its type has', async () => {
  const troupe = await loadProbe(), system = troupe.createSystem(), session = system.openSession();
  delete troupe.log; // the probe's
  const task = session.spawn('echo');
  const failure = await failureOf(session.spawn('fail', 'disk full'));
  /** The public ones: own, and those of the class. */
  const membersSeen = object => {
    const names = new Set(Object.keys(object));
    for (let at = Object.getPrototypeOf(object); at !== Object.prototype && at !== Error.prototype;
         at = Object.getPrototypeOf(at))
      for (const name of Object.getOwnPropertyNames(at)) names.add(name);
    return sorted([...names].filter(name => name !== 'constructor' && !name.startsWith('_')));
  };
  const seen = {Troupe: troupe, System: system, Session: session, Task: task, TroupeError: failure};
  equal(sorted(Object.keys(seen)), sorted(statements.filter(ts.isClassDeclaration).map(each => each.name.text)));
  for (const [name, object] of Object.entries(seen)) {
    check(object instanceof real[name], name);
    const base = {System: ['Session']}[name] ?? [];
    const expected = [name, ...base].flatMap(namesOf).concat(name === 'TroupeError' ? ['name'] : []);
    equal([name, sorted(new Set(expected))], [name, membersSeen(object)]);
    for (const member of membersOf(name))
      equal([member.name.text, typeof object[member.name.text] === 'function'],
            [member.name.text, ts.isMethodDeclaration(member)]);
  }
  await system.cancel();
});

test('a report has what its type has', async () => {
  const troupe = await loadProbe(), system = troupe.createSystem();
  system.spawn('sleep', 3600000);
  const report = system.report();
  for (const [name, object] of [['CleanupReport', report], ['Survivor', report.survivors[0]]])
    for (const {name: {text}, type} of membersOf(name)) {
      check(text in object, `${name}.${text}`);
      const kinds = {[ts.SyntaxKind.StringKeyword]: 'string', [ts.SyntaxKind.BooleanKeyword]: 'boolean'};
      equal([text, typeof object[text]], [text, kinds[type.kind] ?? (ts.isUnionTypeNode(type) ? 'string' : 'object')]);
    }
  await system.cancel();
});

const moduleSource = readFileSync(join(sources, 'module.cpp'), 'utf8');

test('the options are those that the module takes, with their values', async () => {
  const troupe = await loadProbe(), system = troupe.createSystem();
  const taken = {
    SessionOptions: options => system.openSession(options),
    SpawnOptions: options => system.spawn('echo', 1, options),
  };
  for (const [name, use] of Object.entries(taken))
    for (const {name: {text}, type} of membersOf(name)) {
      const refused = await failureOf(() => use({[text]: []}));
      check(refused.code === 'invalid_argument' && !refused.message.includes('no option'), `${text}: ${refused.message}`);
      for (const value of ts.isUnionTypeNode(type) ? literalsOf(type) : [])
        use({[text]: value});
    }
  await system.cancel();
  const known = [...moduleSource.matchAll(/key [!=]= "(\w+)"/g)].map(match => match[1]);
  const counts = namesOf('SystemOptions').filter(name => !['config', 'functions', 'onUnfinished'].includes(name));
  equal(sorted(new Set(known)), sorted(new Set([...namesOf('SessionOptions'), ...namesOf('SpawnOptions'), ...counts])));
  for (const name of counts) {
    await troupe.createSystem({[name]: 1}).close();
    equal((await failureOf(() => troupe.createSystem({[name]: 'x'}))).code, 'invalid_argument');
  }
});

test('the error codes are those that there are', () => {
  const text = moduleSource + readFileSync(join(sources, 'troupe.mjs'), 'utf8')
               + readFileSync(join(sources, 'glue.cpp'), 'utf8');
  const codes = [/(?:refusal\{|failure\()"(\w+)"/g, /failure\([^"]*\? "(\w+)"/g, /failure\([^"]*\? "\w+" : "(\w+)"/g,
                 /TroupeError\('(\w+)'/g, /code: '(\w+)'/g].flatMap(form => [...text.matchAll(form)].map(m => m[1]));
  equal(sorted(new Set(codes)), sorted(literalsOf(named('ErrorCode').type)));
});
