// A client of a PJRT plugin: its devices, arrays on them, and compiled programs. The code that creates a buffer or an
// executable destroys it.
import { MtcpError } from '../../../registry/errors.js';
import { addressAt, addresses, Struct, textAt } from './structs.js';
import { CompiledPrograms } from './compiled.js';
import type { Moved } from '../device-memory.js';
import { compileOptions, ON_ONE, type Placement } from './mesh.js';
import type { PjrtApi } from './api.js';
import {
  memoryStatsOf,
  namedValues,
  programOf,
  rowMajor,
  serialized,
  type MemoryStats,
  type Option,
} from './forms.js';
import { BUFFER_TYPE, DURING_CALL, STRUCTS } from './pjrt-table.js';
import type { HostArray } from '../../support/host-tensor.js';

export type ElementType = keyof typeof BUFFER_TYPE;
type Handle = bigint;

/** Arrays that a program may be handed. */
export type Elements = HostArray | BigInt64Array | Uint8Array;

/** An array on a device, or on several. */
export class DeviceBuffer {
  #isDestroyed = false;

  constructor(
    readonly client: PjrtClient,
    readonly handles: readonly Handle[],
    readonly placement: Placement = ON_ONE,
  ) {}

  /** Fills `data` with its elements. */
  async read(data: Elements): Promise<void> {
    if (this.placement.isDivided) {
      const parts = partsOf(data, this.handles.length);
      await allSettled(this.handles.map((handle, i) => this.#readOne(handle, parts[i])));
    } else await this.#readOne(this.handles[0], data);
  }

  async #readOne(src: Handle, data: Elements): Promise<void> {
    if (data.byteLength === 0) return;
    const { api, moved } = this.client;
    moved.down += data.byteLength;
    const rank = api.call('Buffer_Dimensions', { buffer: src }).number('num_dims');
    const host_layout = rowMajor(rank);
    const args = api.call('Buffer_ToHostBuffer', {
      src,
      host_layout,
      dst: data,
      dst_size: data.byteLength,
    });
    await this.client.settled(args.address('event'));
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    for (const buffer of this.handles) this.client.api.free('Buffer_Destroy', { buffer });
  }
}

/** Like Promise.all, but fails only when none is under way any more: what they made can be freed, what they read can change. */
export async function allSettled<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** As many equal parts of an array. */
function partsOf<T extends Elements>(data: T, count: number): T[] {
  const length = data.length / count;
  return Array.from({ length: count }, (_, i) => data.subarray(i * length, (i + 1) * length) as T);
}

export class Executable {
  readonly outputs: number;

  constructor(
    readonly client: PjrtClient,
    readonly handle: Handle,
    /** Whether it was compiled by an earlier process. */
    readonly isStored = false,
    /** That it runs on, the client's first. */
    readonly devices = 1,
  ) {
    this.outputs = this.#inner((executable) =>
      client.api.call('Executable_NumOutputs', { executable }).number('num_outputs'),
    );
  }

  #inner<T>(use: (executable: Handle) => T): T {
    const { api } = this.client;
    const executable = api
      .call('LoadedExecutable_GetExecutable', { loaded_executable: this.handle })
      .address('executable');
    try {
      return use(executable);
    } finally {
      api.call('Executable_Destroy', { executable });
    }
  }

  /** The program as a file holds it; undefined if the plugin cannot write it. */
  serialized(): Buffer | undefined {
    try {
      return this.#inner((executable) => serialized(this.client.api, executable));
    } catch (error) {
      if (!MtcpError.is(error, 'engine')) throw error;
      return undefined;
    }
  }

  /** What it takes on the device; undefined if the plugin does not tell. */
  get memory(): MemoryStats | undefined {
    return this.#inner((executable) => memoryStatsOf(this.client.api, executable));
  }

  /**
   * Resolves when the outputs are there.
   * @param placements of the outputs; copies if left out
   */
  execute(inputs: readonly DeviceBuffer[], placements: readonly Placement[] = []): Promise<DeviceBuffer[]> {
    const run = () => this.#execute(inputs, placements);
    return this.devices === 1 ? run() : this.client.inTurn(run);
  }

  async #execute(inputs: readonly DeviceBuffer[], placements: readonly Placement[]): Promise<DeviceBuffer[]> {
    const { api } = this.client;
    const { devices } = this;
    const each = Array.from({ length: devices }, (_, i) => i);
    const given = each.map((i) => addresses(inputs.map(({ handles }) => handles[i])));
    const made = each.map(() => Buffer.alloc(8 * Math.max(1, this.outputs)));
    const events = Buffer.alloc(8 * devices);
    const options = new Struct(STRUCTS.ExecuteOptions, { struct_size: STRUCTS.ExecuteOptions.size });
    await api.callAsync('LoadedExecutable_Execute', {
      executable: this.handle,
      options,
      argument_lists: addresses(given),
      num_devices: devices,
      num_args: inputs.length,
      output_lists: addresses(made),
      device_complete_events: events,
    });
    const outputs = Array.from({ length: this.outputs }, (_, output) => {
      const handles = made.map((list) => list.readBigUInt64LE(8 * output));
      return new DeviceBuffer(this.client, handles, placements[output] ?? { devices, isDivided: false });
    });
    try {
      await allSettled(each.map((i) => this.client.settled(events.readBigUInt64LE(8 * i))));
    } catch (error) {
      for (const output of outputs) output.destroy();
      throw error;
    }
    return outputs;
  }

  destroy(): void {
    this.client.api.free('LoadedExecutable_Destroy', { executable: this.handle });
  }
}

/** Options of a plugin when its client is made, such as `cpu_device_count`. */
export type ClientOptions = Readonly<Record<string, Option>>;

export class PjrtClient {
  readonly platform: string;
  readonly platformVersion: string;
  readonly devices: readonly Handle[];
  /** Bytes that were copied to the device and from it. */
  readonly moved: Moved = { up: 0, down: 0 };
  readonly #handle: Handle;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    readonly api: PjrtApi,
    options: ClientOptions = {},
  ) {
    const named = Object.entries(options);
    this.#handle = api
      .call('Client_Create', { create_options: namedValues(named), num_options: named.length })
      .address('client');
    const client = this.#handle;
    const name = api.call('Client_PlatformName', { client });
    this.platform = textAt(name.address('platform_name'), name.number('platform_name_size'));
    const version = api.call('Client_PlatformVersion', { client });
    this.platformVersion = textAt(
      version.address('platform_version'),
      version.number('platform_version_size'),
    );
    const devices = api.call('Client_AddressableDevices', { client });
    const list = devices.address('addressable_devices');
    this.devices = Array.from({ length: devices.number('num_addressable_devices') }, (_, i) =>
      addressAt(list, i),
    );
  }

  /** What the first device is, such as "NVIDIA H100 80GB HBM3". */
  get deviceKind(): string {
    const [device] = this.devices;
    const described = this.api.call('Device_GetDescription', { device });
    const device_description = described.address('device_description');
    const kind = this.api.call('DeviceDescription_Kind', { device_description });
    return textAt(kind.address('device_kind'), kind.number('device_kind_size'));
  }

  /**
   * Compiles a program, or takes what an earlier process compiled.
   * @param text StableHLO
   * @param devices that it is divided among
   */
  async compile(text: string, stored = new CompiledPrograms(), devices = 1): Promise<Executable> {
    const options = compileOptions(devices);
    const { path, version } = this.api;
    const key = stored.keyOf({ plugin: path, version, device: this.deviceKind }, text, options);
    const known = this.#load(stored.read(key), devices);
    if (known) return known;
    const args = await this.api.callAsync('Client_Compile', {
      client: this.#handle,
      program: programOf(text),
      compile_options: options,
      compile_options_size: options.length,
    });
    const executable = new Executable(this, args.address('executable'), false, devices);
    const program = executable.serialized();
    if (program) stored.write(key, program);
    return executable;
  }

  /** Undefined also for a program that the plugin does not take: it is compiled again. */
  #load(program: Buffer | undefined, devices: number): Executable | undefined {
    if (!program) return undefined;
    try {
      const args = this.api.call('Executable_DeserializeAndLoad', {
        client: this.#handle,
        serialized_executable: program,
        serialized_executable_size: program.length,
      });
      return new Executable(this, args.address('loaded_executable'), true, devices);
    } catch (error) {
      if (!MtcpError.is(error, 'engine')) throw error;
      return undefined;
    }
  }

  /** A copy of the array, on the first device if nothing else is said; the array may change when this has returned. */
  async upload(
    data: Elements,
    dtype: ElementType,
    shape: readonly number[],
    placement: Placement = ON_ONE,
  ): Promise<DeviceBuffer> {
    const { isDivided } = placement;
    const devices = this.devices.slice(0, placement.devices);
    const parts = isDivided ? partsOf(data, devices.length) : devices.map(() => data);
    const own = isDivided ? [shape[0] / devices.length, ...shape.slice(1)] : shape;
    const handles: Handle[] = [];
    try {
      for (const [i, device] of devices.entries()) handles.push(this.#upload(parts[i], dtype, own, device));
    } catch (error) {
      for (const buffer of handles) this.api.free('Buffer_Destroy', { buffer });
      throw error;
    }
    return new DeviceBuffer(this, handles, placement);
  }

  #upload(data: Elements, dtype: ElementType, shape: readonly number[], device: Handle): Handle {
    this.moved.up += data.byteLength;
    const dims = Buffer.alloc(8 * Math.max(1, shape.length));
    shape.forEach((n, i) => dims.writeBigInt64LE(BigInt(n), 8 * i));
    const args = this.api.call('Client_BufferFromHostBuffer', {
      client: this.#handle,
      data,
      type: BUFFER_TYPE[dtype],
      dims,
      num_dims: shape.length,
      host_buffer_semantics: DURING_CALL,
      device,
    });
    const event = args.address('done_with_host_buffer');
    if (event !== 0n) this.api.free('Event_Destroy', { event });
    return args.address('buffer');
  }

  /** Runs on several devices follow each other: two at once could each wait for devices that the other has. */
  inTurn<T>(run: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(run);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  /** Waits for an event and destroys it. */
  async settled(event: Handle): Promise<void> {
    if (event === 0n) return;
    try {
      await this.api.callAsync('Event_Await', { event });
    } finally {
      this.api.free('Event_Destroy', { event });
    }
  }

  close(): void {
    this.api.free('Client_Destroy', { client: this.#handle });
  }
}
