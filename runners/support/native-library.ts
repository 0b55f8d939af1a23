// Loads shared libraries through koffi. Its settings apply to the whole process and only before the first library is
// loaded, so all libraries are loaded here.
import koffi, { type LibraryHandle } from 'koffi';

/** Calls run on stacks of koffi's own; graph passes and compilers recurse deeply. */
const STACK = 16 << 20;

/** Calls on other threads at a time. Koffi refuses more than 256 in a process, and each has a stack. */
const MOST_CALLS = 64;

let isConfigured = false;

/** Of dlfcn.h. */
const RTLD_NOW = 2;

/** @throws Error if there is no such library or it cannot be loaded here */
export function loadLibrary(path: string): LibraryHandle {
  if (!isConfigured) koffi.config({ sync_stack_size: STACK, async_stack_size: STACK });
  isConfigured = true;
  const handle = koffi.load(path);
  keepLoaded(path);
  return handle;
}

/**
 * koffi unloads a library whose handle is garbage, and every library when the process ends. But functions of a library may
 * be called later than that: through pointers that it gave away, on threads of its own, or as the process exits. A second
 * reference keeps it loaded.
 */
function keepLoaded(path: string): void {
  if (process.platform === 'win32') return;
  koffi.load(null).func('void *dlopen(const char *path, int flags)')(path, RTLD_NOW);
}

export interface AsyncFunction {
  async(...args: unknown[]): void;
}

let running = 0;
/** Calls that begin when others have ended. */
const waiting: (() => void)[] = [];

/** Calls a native function on another thread; waits while many others run. */
export function callOnThread(native: AsyncFunction, ...args: unknown[]): Promise<unknown> {
  if (running >= MOST_CALLS)
    return new Promise<void>((begin) => waiting.push(begin)).then(() => begun(native, args));
  running++;
  return begun(native, args);
}

/** Of `running`, this call is one. */
async function begun(native: AsyncFunction, args: readonly unknown[]): Promise<unknown> {
  try {
    return await new Promise((resolve, reject) =>
      native.async(...args, (error: Error | null, result: unknown) =>
        error ? reject(error) : resolve(result),
      ),
    );
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}
