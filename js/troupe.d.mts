// Types of troupe.mjs.

/** What JSON can carry. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type ErrorCode =
  | 'closed' | 'session_closed' | 'rejected' | 'cancelled' | 'failed' | 'unknown_task' | 'invalid_argument' | 'not_closed'
  /** The module ran into a trap or was aborted: nothing of it runs any more, and load has to be called again. */
  | 'stopped';

export class TroupeError extends Error {
  constructor(code: ErrorCode, message: string, causeName?: string);
  readonly code: ErrorCode;
  /** For `failed`: the name of the JavaScript error that the task died of, if it did. */
  readonly causeName?: string;
}

export interface ModuleOptions {
  /** The module's code: compiled, as bytes, or where to fetch it. */
  wasm?: WebAssembly.Module | BufferSource | string | URL;
  print?: (line: string) => void;
  printErr?: (line: string) => void;
  [more: string]: unknown;
}

/** Instantiates a module that Emscripten has built with -sMODULARIZE. Each call makes one that shares nothing. */
export function load(createModule: (options?: object) => Promise<unknown>, moduleOptions?: ModuleOptions): Promise<Troupe>;

/** A function of the host's that tasks may call; what it returns is awaited. */
export type HostFunction = (args: any, context: { signal?: AbortSignal }) => unknown;

export interface SystemOptions {
  /** Handed to the module's `application`. */
  config?: Json;
  /** By the names that the module's tasks call them by. */
  functions?: { [name: string]: HostFunction };
  /** Runnables per turn of the event loop; 256 unless given. Fewer are fairer to timers and rendering. */
  budget?: number;
  /** Messages that an actor may handle per runnable; 8 unless given. */
  throughput?: number;
  /**
   * Called with how things stand when the host ends and something of the system is unfinished; nothing of the module
   * runs before it returns. Unless given, the report is a warning on the console. A page that wants it to arrive
   * somewhere sends it by `navigator.sendBeacon`.
   */
  onUnfinished?: (report: CleanupReport, why: HostEnd) => void;
}

/**
 * - `closed`: the page is closed, reloaded or left for good. After `onUnfinished` the system is cancelled, and the signals
 *   of all calls of `functions` are aborted before the page is gone.
 * - `suspended`: the browser keeps the page as it is. If it brings it back, everything goes on; if not, this was the
 *   last that was heard of it.
 * - `exit`: node's program ends.
 */
export type HostEnd = 'closed' | 'suspended' | 'exit';

export class Troupe {
  private constructor();
  readonly module: unknown;
  /** The names of the tasks that the module has. */
  readonly tasks: string[];
  createSystem(options?: SystemOptions): System;
}

/** Times are in milliseconds. */
export interface SessionOptions {
  name?: string;
  /** From now on; then everything in it is cancelled. */
  deadline?: number;
  /** How long a close waits for what `waitUntil` was given, before it cancels; half the budget at most. */
  grace?: number;
  /** For the whole close. */
  budget?: number;
  onClose?: 'join' | 'cancel' | 'report';
  onFailure?: 'failSession' | 'collect' | 'log';
}

export interface SpawnOptions {
  name?: string;
  kind?: 'scoped' | 'waitUntil' | 'daemon';
  priority?: 'background' | 'normal' | 'foreground' | 'critical';
}

export interface Survivor {
  kind: string;
  id: string;
  name: string;
  state: string;
  kept_alive_by: string;
  verdict: string;
  [more: string]: Json;
}

export interface CleanupReport {
  session: string;
  path: string;
  /** Whether everything that the session owned has ended, promises included. */
  is_clean: boolean;
  outcome: 'clean' | 'dirty' | 'failed';
  cause: string;
  first_error: string;
  survivors: Survivor[];
  /**
   * Names of promises that were given to `waitUntil` and have not settled: of this session, and of those sessions in it
   * whose close has not ended.
   */
  unsettled_promises: string[];
  counters: { [name: string]: number };
  children: Json[];
  /** For people. */
  text: string;
  [more: string]: Json;
}

/** A task that has been spawned: a promise of its result, rejected with a TroupeError. */
export class Task<T = Json> implements PromiseLike<T> {
  private constructor();
  readonly id: string;
  cancel(): boolean;
  then<A = T, B = never>(fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
                         rejected?: ((reason: TroupeError) => B | PromiseLike<B>) | null): Promise<A | B>;
  catch<B = never>(rejected?: ((reason: TroupeError) => B | PromiseLike<B>) | null): Promise<T | B>;
  finally(always?: (() => void) | null): Promise<T>;
}

export class Session {
  protected constructor();
  readonly system: System;
  readonly id: string;
  openSession(options?: SessionOptions): Session;
  /** Starts a task of the module by its name. It never runs inside of this call. */
  spawn<T = Json>(task: string, args?: Json, options?: SpawnOptions): Task<T>;
  /** Makes the close wait for a promise, within the grace. A rejection fails the session. */
  waitUntil(promise: PromiseLike<unknown>, name?: string): void;
  /** How things stand. */
  report(): CleanupReport;
  /** Closes in order. Each caller gets the same report. */
  close(options?: { budget?: number }): Promise<CleanupReport>;
  /** Cancels everything in it, and closes. */
  cancel(): Promise<CleanupReport>;
}

/** The root session of a system. Once its `close` or `cancel` has ended, using it is an error with the code `closed`. */
export class System extends Session {}
