// A loaded PJRT plugin: its functions by name, and its errors as exceptions.
import { existsSync } from 'node:fs';
import koffi from 'koffi';
import { MtcpError } from '../../../registry/errors.js';
import { callOnThread, loadLibrary, type AsyncFunction } from '../../support/native-library.js';
import { DeviceError } from '../device-error.js';
import {
  ARGUMENTS,
  FUNCTIONS_OFFSET,
  MAJOR,
  OLDEST_MINOR,
  ORDER,
  ERROR_CODE,
  VERSION_OFFSETS,
  type Called,
} from './pjrt-table.js';
import { Struct, textAt, type Fields, type Values } from './structs.js';

type FieldsOf<N extends Called> = (typeof ARGUMENTS)[N]['fields'];
type Native = ((args: Buffer) => unknown) & AsyncFunction;

/** A function that frees what came with it. */
const RELEASE = koffi.proto('void', ['uintptr_t']);

/** Functions that find out whether the device works; what others refuse says nothing about that. */
const AT_WORK: ReadonlySet<Called> = new Set([
  'Event_Await',
  'Client_BufferFromHostBuffer',
  'LoadedExecutable_Execute',
  'Buffer_ToHostBuffer',
]);

/**
 * Libraries below the plugin may report it as a fault of their own: CUDA_ERROR_OUT_OF_MEMORY, hipErrorOutOfMemory,
 * CUBLAS_STATUS_ALLOC_FAILED, CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED.
 */
const NO_MEMORY = /out[ _]?of[ _]?memory|_alloc(ation)?_failed/i;

export class PjrtApi {
  readonly version: string;
  readonly #functions = new Map<string, Native>();

  /**
   * @param path of the shared library
   * @throws MtcpError `engine` if it is no plugin, cannot be loaded here, or speaks another version
   */
  constructor(readonly path: string) {
    if (!existsSync(path)) throw this.#unusable('there is no such file');
    const api = this.#load();
    const size = Number(koffi.decode(api, 0, 'uint64_t'));
    const [major, minor] = [VERSION_OFFSETS.major, VERSION_OFFSETS.minor].map(
      (offset) => koffi.decode(api, offset, 'int') as number,
    );
    this.version = `${major}.${minor}`;
    if (major !== MAJOR || minor < OLDEST_MINOR)
      throw this.#unusable(
        `it speaks version ${this.version} of PJRT's interface; mtcp speaks ${MAJOR}.${OLDEST_MINOR} and later minor versions`,
      );
    const prototype = koffi.proto('void *', ['void *']);
    ORDER.forEach((name, i) => {
      const offset = FUNCTIONS_OFFSET + 8 * i;
      if (!(name in ARGUMENTS) || offset >= size) return;
      const pointer = koffi.decode(api, offset, 'void *') as unknown;
      if (pointer) this.#functions.set(name, koffi.decode(pointer as never, prototype) as Native);
    });
    this.call('Plugin_Initialize', {});
  }

  #load() {
    // Plugins for GPUs tell what they do, among the lines of a terminal; warnings still come through.
    process.env.TF_CPP_MIN_LOG_LEVEL ??= '1';
    try {
      return loadLibrary(this.path).func('GetPjrtApi', 'void *', [])() as never;
    } catch (error) {
      throw this.#unusable((error as Error).message.split('\n')[0], error);
    }
  }

  #unusable(reason: string, cause?: unknown): MtcpError {
    return new MtcpError('engine', `this PJRT plugin cannot be used: ${reason}`, {
      where: this.path,
      hint: '`mtcp doctor` lists the plugins that are found; MTCP_PJRT_PLUGIN names one',
      cause,
    });
  }

  /**
   * @returns the arguments with what the function wrote into them
   * @throws MtcpError `engine` with what the plugin says
   */
  call<N extends Called>(name: N, values: Values<FieldsOf<N>>): Struct<FieldsOf<N>> {
    const args = this.#arguments(name, values);
    this.#check(name, this.#function(name)(args.memory));
    return args;
  }

  /** The same on a thread of its own, for what takes long. */
  async callAsync<N extends Called>(name: N, values: Values<FieldsOf<N>>): Promise<Struct<FieldsOf<N>>> {
    const args = this.#arguments(name, values);
    this.#check(name, await callOnThread(this.#function(name), args.memory));
    return args;
  }

  /** Frees something. A device that has failed may refuse that; what it holds is lost anyway, so nothing is said. */
  free<N extends Called>(name: N, values: Values<FieldsOf<N>>): void {
    try {
      this.call(name, values);
    } catch (error) {
      if (!MtcpError.is(error, 'engine')) throw error;
    }
  }

  /** Calls a function that the plugin returned, such as one that frees what came with it. */
  callPointer(address: bigint, argument: bigint): void {
    (koffi.decode(address as never, RELEASE) as (argument: bigint) => void)(argument);
  }

  #arguments<N extends Called>(name: N, values: Values<FieldsOf<N>>): Struct<FieldsOf<N>> {
    const layout = ARGUMENTS[name] as unknown as (typeof ARGUMENTS)[N] & { fields: Fields };
    const args = new Struct(layout as never, values as never) as unknown as Struct<Fields>;
    args.set('struct_size', layout.size);
    return args as unknown as Struct<FieldsOf<N>>;
  }

  #function(name: Called): Native {
    const found = this.#functions.get(name);
    if (!found) throw this.#unusable(`it lacks PJRT_${name}`);
    return found;
  }

  #check(name: Called, error: unknown): void {
    if (!error) return;
    const address = BigInt(koffi.address(error as never));
    const told = this.#arguments('Error_Message', { error: address });
    this.#function('Error_Message')(told.memory);
    const message = textAt(told.address('message'), told.number('message_size'));
    const coded = this.#arguments('Error_GetCode', { error: address });
    this.#function('Error_GetCode')(coded.memory);
    this.#function('Error_Destroy')(this.#arguments('Error_Destroy', { error: address }).memory);
    const code = coded.number('code');
    const where = `PJRT_${name}`;
    if (code === ERROR_CODE.resourceExhausted || NO_MEMORY.test(message))
      throw new DeviceError('memory', message, where);
    if (AT_WORK.has(name) && ERROR_CODE.lost.includes(code)) throw new DeviceError('lost', message, where);
    throw new MtcpError('engine', message, { where });
  }
}
