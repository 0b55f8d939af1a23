// Several devices of one program. The program is that of the whole batch. XLA's partitioner divides it among the devices:
// each has a part of the arrays that hold samples and a copy of everything else, and where a value depends on all
// samples (gradients, statistics of normalisation, losses, counts of valid pixels) it puts collective operations such as
// all-reduce. So what is computed is what one device computes, up to the order of sums, whatever a model does with its
// batch.
import type { Shape } from '../graph/ir.js';

export interface Mesh {
  readonly devices: number;
  /** Whether the first axis of an input or output is divided among the devices. Each has a copy of the others. */
  isDivided(name: string, shape: Shape): boolean;
}

export const ONE_DEVICE: Mesh = { devices: 1, isDivided: () => false };

/** Where an array lies: on so many of the first devices, each with a part of its first axis or with a copy. */
export interface Placement {
  readonly devices: number;
  readonly isDivided: boolean;
}

export const ON_ONE: Placement = { devices: 1, isDivided: false };

export const placementOn = (mesh: Mesh, name: string | undefined, shape: Shape): Placement => ({
  devices: mesh.devices,
  isDivided: name !== undefined && mesh.isDivided(name, shape),
});

/** @param isBatched whether the first axis of an input or output is the samples of a batch */
export function meshOf(
  devices: number,
  isBatched: (name: string, shape: Shape) => boolean = () => false,
): Mesh {
  if (devices === 1) return ONE_DEVICE;
  return {
    devices,
    isDivided: (name, shape) => shape.length > 0 && shape[0] % devices === 0 && isBatched(name, shape),
  };
}

/** Attributes of the module, and what it begins with. */
export const moduleText = ({ devices }: Mesh): { attributes: string; head: string } =>
  devices === 1
    ? { attributes: '', head: '' }
    : {
        attributes: ` attributes {mhlo.num_partitions = ${devices} : i32, mhlo.num_replicas = 1 : i32}`,
        head: `sdy.mesh @devices = <["batch"=${devices}]>\n`,
      };

/** The attribute of an argument or a result; undefined on one device. */
export function shardingText(mesh: Mesh, name: string | undefined, shape: Shape): string | undefined {
  if (mesh.devices === 1) return undefined;
  const { isDivided } = placementOn(mesh, name, shape);
  const axes = shape.map((_, axis) => (isDivided && axis === 0 ? '{"batch"}' : '{}'));
  return `sdy.sharding = #sdy.sharding<@devices, [${axes.join(', ')}]>`;
}

/** CompileOptionsProto: executable_build_options (3) for one program on so many devices. */
export function compileOptions(devices = 1): Buffer {
  const field = (number: number, value: number) => [...varint(number << 3), ...varint(value)];
  const build = [
    ...field(4, 1), // num_replicas
    ...field(5, devices), // num_partitions
    // use_spmd_partitioning, and by Shardy, whose attributes the module has
    ...(devices > 1 ? [...field(6, 1), ...field(19, 1)] : []),
  ];
  return Buffer.from([0x1a, ...varint(build.length), ...build]);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
