// Troupe for JavaScript: systems, sessions and named tasks of a WebAssembly module that was built with troupe/js.

/** What went wrong, with a `code` to act upon. */
export class TroupeError extends Error {
  constructor(code, message, causeName) {
    super(message);
    this.name = 'TroupeError';
    this.code = code;
    /** For `failed`: the name of the JavaScript error that the task died of, if it did. */
    this.causeName = causeName;
  }
}

const errorOf = e => new TroupeError(e.code, e.message, e.cause);
const taken = new WeakSet();

/** Systems that have not been closed. When the host ends, each says what is unfinished in it. */
const open = new Set();
const isPage = typeof document === 'object' && typeof addEventListener === 'function';
const isNode = !isPage && typeof process === 'object' && !!process.versions?.node && typeof process.on === 'function';

const endAll = why => { for (const system of [...open]) system._hostEnds(why); };
const onPageHide = e => endAll(e.persisted ? 'suspended' : 'closed');
const onExit = () => endAll('exit');

/** Listens only while there is a system: a listener that stays would keep this code alive for ever. */
function watchHost(system) {
  if (open.size === 0) {
    if (isPage) addEventListener('pagehide', onPageHide);
    if (isNode) process.on('exit', onExit);
  }
  open.add(system);
}

function unwatchHost(system) {
  if (!open.delete(system) || open.size > 0) return;
  if (isPage) removeEventListener('pagehide', onPageHide);
  if (isNode) process.off('exit', onExit);
}

const endings = {
  closed: 'the page was closed, reloaded or left, and this was unfinished',
  suspended: 'the page was left, and this was unfinished; it goes on if the browser brings the page back',
  exit: 'the program has ended, and this was unfinished',
};

/** What is said of unfinished work unless `onUnfinished` says it. */
function warnOf(report, why) {
  const promises = report.unsettled_promises;
  console.warn(`Troupe: ${endings[why]}:\n${report.text}` +
               (promises.length ? `  promises that have not settled: ${promises.join(', ')}\n` : ''));
}

/** How a module gets its code: a WebAssembly.Module, its bytes, or where to fetch it. */
function instantiator(wasm) {
  return (imports, done) => {
    const started = wasm instanceof WebAssembly.Module
      ? WebAssembly.instantiate(wasm, imports).then(instance => ({instance, module: wasm}))
      : typeof wasm === 'string' || wasm instanceof URL
        ? fetch(wasm).then(response => response.arrayBuffer()).then(bytes => WebAssembly.instantiate(bytes, imports))
        : WebAssembly.instantiate(wasm, imports);
    return started.then(({instance, module}) => { done(instance, module); });
  };
}

/** Instantiates a module. Each call makes one of its own, with its own memory; they share nothing. */
export async function load(createModule, moduleOptions = {}) {
  if (typeof createModule !== 'function')
    throw new TroupeError('invalid_argument', 'load takes the function that the Emscripten module exports');
  if (taken.has(moduleOptions))
    throw new TroupeError('invalid_argument',
                          'these module options belong to a module that was loaded already: give each its own object');
  taken.add(moduleOptions);
  let module;
  const {wasm, onAbort} = moduleOptions;
  moduleOptions.onAbort = what => {
    module?.troupeStopped?.(new Error(`it was aborted${what ? ` (${what})` : ''}`));
    onAbort?.(what);
  };
  module = await new Promise((resolve, reject) => {
    if (wasm !== undefined) {
      const instantiate = instantiator(wasm);
      // Emscripten itself would wait for ever for one that fails.
      moduleOptions.instantiateWasm = (imports, done) => { instantiate(imports, done).catch(reject); return {}; };
    }
    Promise.resolve(createModule(moduleOptions)).then(resolve, reject);
  });
  if (!module.troupeFace)
    throw new TroupeError('invalid_argument', 'this module has no named_task: it was not built for troupe.mjs');
  return new Troupe(module);
}

/** A module that has been loaded. */
export class Troupe {
  #face;
  #waiting = new Map();

  constructor(module) {
    this.module = module;
    this.#face = module.troupeFace;
    this.#face.answered = (number, answer) => {
      const waiting = this.#waiting.get(number);
      this.#waiting.delete(number);
      if (!waiting) return;
      if (answer.error) waiting.reject(errorOf(answer.error));
      else waiting.resolve(answer.value);
    };
    // Nothing of it will ever be answered.
    this.#face.ended = message => {
      const lost = [...this.#waiting.values()];
      this.#waiting.clear();
      for (const {reject} of lost) reject(new TroupeError('stopped', message));
      for (const system of [...open])
        if (system._troupe === this) unwatchHost(system);
    };
  }

  /** The names of the tasks that the module has. */
  get tasks() { return this._request({op: 'tasks'}); }

  /** Creates a system on this thread's event loop. */
  createSystem({config = null, functions = {}, budget, throughput, onUnfinished = warnOf} = {}) {
    const options = {};
    if (budget !== undefined) options.budget = budget;
    if (throughput !== undefined) options.throughput = throughput;
    for (const [name, f] of Object.entries(functions))
      if (typeof f !== 'function')
        throw new TroupeError('invalid_argument', `functions.${name} is not a function`);
    if (typeof onUnfinished !== 'function')
      throw new TroupeError('invalid_argument', 'onUnfinished is not a function');
    const made = this._request({op: 'create', config, options});
    this.#face.functions.set(made.dispatcher, functions);
    return new System(this, made, onUnfinished);
  }

  /** For the classes below. */
  _request(request) {
    const answer = this.#face.request(request);
    if (answer.error) throw errorOf(answer.error);
    return answer.value;
  }
  _answer(number) {
    return new Promise((resolve, reject) => this.#waiting.set(number, {resolve, reject}));
  }
  _hold(promise) { return this.#face.hold(promise); }
  _abort(dispatcher) { this.#face.abort(dispatcher); }
  _forget(dispatcher) { this.#face.functions.delete(dispatcher); }
}

/** A task that has been spawned: a promise of its result. */
export class Task {
  #session;
  #made;
  #result;

  constructor(session, made) {
    this.#session = session;
    this.#made = made;
    this.id = made.id;
    this.#result = session._troupe._answer(made.request);
    // A failure that nobody awaits here is in the session's report.
    this.#result.catch(() => {});
  }

  /** Asks it to end. @returns whether it was still unsettled. */
  cancel() {
    const {sessionNumber, taskNumber} = this.#made;
    return this.#session._request({op: 'cancelTask', sessionNumber, taskNumber});
  }
  then(fulfilled, rejected) { return this.#result.then(fulfilled, rejected); }
  catch(rejected) { return this.#result.catch(rejected); }
  finally(always) { return this.#result.finally(always); }
}

/** Owns the tasks, sessions and promises that are started in it. */
export class Session {
  #number;
  #unsettled = new Map();
  #children = new Set(); // those whose close has not ended
  #parent;
  #last = 0;
  #closed;

  constructor(system, number, id) {
    this.system = system;
    this._troupe = system._troupe;
    this.#number = number;
    this.id = id;
  }

  openSession(options = {}) {
    const made = this._request({op: 'openSession', options});
    const child = new Session(this.system, made.session, made.id);
    this.#children.add(child);
    child.#parent = this;
    return child;
  }

  /** Starts a task of the module. What JSON cannot carry throws here. */
  spawn(task, args = null, options = {}) {
    return new Task(this, this._request({op: 'spawn', task, arguments: args === undefined ? null : args, options}));
  }

  /** Makes the session's close wait for a promise, within its grace. A rejection fails the session. */
  waitUntil(promise, name = '') {
    const held = Promise.resolve(promise);
    const key = ++this.#last;
    held.catch(() => {}); // The module sees it.
    const number = this._troupe._hold(held);
    const options = name ? {name} : {};
    const made = this._request({op: 'waitUntil', promise: number, options});
    this._troupe._answer(made.request).catch(() => {});
    this.#unsettled.set(key, name || 'a promise');
    const settled = () => { this.#unsettled.delete(key); };
    held.then(settled, settled);
  }

  /** How things stand. */
  report() { return this.#complete(this._request({op: 'report'})); }

  /** Starts an orderly close; the report is the same for each caller. */
  close({budget} = {}) { return this.#close(budget === undefined ? {} : {budget}); }
  /** Cancels everything in it, then closes. */
  cancel() { return this.#close({cancel: true}); }

  #close(how) {
    if (!this.#closed) {
      try {
        const made = this._request({op: 'close', ...how});
        this.#closed = this._troupe._answer(made.request).then(report => this.#complete(report));
        const ended = () => { this.#parent?.#children.delete(this); };
        this.#closed.then(ended, ended);
      } catch (e) {
        return Promise.reject(e);
      }
    }
    return this.#closed;
  }

  /** Promises cannot be ended, only left: the report names those that are. */
  #complete(report) {
    const unsettled = this.#unsettledNames();
    return {...report, unsettled_promises: unsettled,
            is_clean: report.outcome === 'clean' && report.survivors.length === 0 && unsettled.length === 0};
  }

  #unsettledNames() {
    return [...this.#unsettled.values(), ...[...this.#children].flatMap(child => child.#unsettledNames())];
  }

  _request(request) { return this._troupe._request({system: this.system._number, session: this.#number, ...request}); }
}

/** A system: its root session, and all that is below it. */
export class System extends Session {
  #dispatcher;
  #onUnfinished;
  #ended;

  constructor(troupe, made, onUnfinished) {
    const self = {_troupe: troupe, _number: made.system};
    super(self, made.root, `s${made.root}`);
    this.system = this;
    this._number = made.system;
    this.#dispatcher = made.dispatcher;
    this.#onUnfinished = onUnfinished;
    watchHost(this);
  }

  close(options) { return this.#end(() => super.close(options)); }
  cancel() { return this.#end(() => super.cancel()); }

  /** After the report: whatever is left of the system goes, and using it is an error from then on. */
  #end(close) {
    if (!this.#ended)
      this.#ended = close().then(report => {
        this._request({op: 'destroy'});
        this._troupe._forget(this.#dispatcher);
        unwatchHost(this);
        return report;
      });
    return this.#ended;
  }

  /** The last moment in which this page or program can say anything. Nothing of the module runs before this returns. */
  _hostEnds(why) {
    const report = this.report();
    if (report.survivors.length > 0 || report.unsettled_promises.length > 0) {
      try {
        this.#onUnfinished(report, why);
      } catch (e) {
        console.error(e); // the other systems have their say, too
      }
    }
    if (why !== 'closed') return;
    // Tasks may still see the cancellation, in a microtask; the signals of what they called are aborted here and now.
    this.cancel().catch(() => {});
    this._troupe._abort(this.#dispatcher);
  }
}
