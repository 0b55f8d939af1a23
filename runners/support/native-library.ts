// Loads shared libraries through koffi. Its settings apply to the whole process and only before the first library is
// loaded, so all libraries are loaded here.
import koffi, { type LibraryHandle } from 'koffi';

/** Calls run on stacks of koffi's own; graph passes and compilers recurse deeply. */
const STACK = 16 << 20;

let isConfigured = false;

/** koffi unloads a library whose handle is garbage; what is called through pointers of its own needs it all the same. */
const handles: LibraryHandle[] = [];

/** @throws Error if there is no such library or it cannot be loaded here */
export function loadLibrary(path: string): LibraryHandle {
  if (!isConfigured) koffi.config({ sync_stack_size: STACK, async_stack_size: STACK });
  isConfigured = true;
  const handle = koffi.load(path);
  handles.push(handle);
  return handle;
}
