// A recorded graph as a StableHLO module.
import { MtcpError } from '../../../../registry/errors.js';
import { nearestNames } from '../../../../registry/support/near.js';
import type { Graph, Value } from '../../graph/ir.js';
import { moduleText, ONE_DEVICE, shardingText, type Mesh } from '../mesh.js';
import './elementwise.js';
import './gather.js';
import { LOWERINGS, Operator } from './lowering.js';
import { pickedFrom } from './picked.js';
import './products.js';
import './reduce.js';
import './shape.js';
import { typeText, Writer, type Parameter, type Precision } from './writer.js';

export type { Parameter, Precision } from './writer.js';

export interface Lowered {
  text: string;
  /** What the program is handed, in order. */
  parameters: readonly Parameter[];
  /** Operations of the module. */
  operations: number;
}

export interface LoweringOptions {
  /** Values that come from outside although the graph computes them, with their names. */
  given?: ReadonlyMap<Value, string>;
  /** Inputs whose memory an output takes, by its number. */
  donated?: ReadonlyMap<string, number>;
  /** Of products and convolutions. */
  precision?: Precision;
  /** Devices that it is divided among. */
  mesh?: Mesh;
  /** Names of the outputs, in order, where it is. */
  names?: readonly string[];
}

/**
 * @param outputs what the program computes, in order
 * @throws MtcpError `engine` for an operator without a lowering
 */
export function toStableHlo(
  graph: Graph,
  outputs: readonly Value[],
  { given = new Map(), donated = new Map(), precision, mesh = ONE_DEVICE, names = [] }: LoweringOptions = {},
): Lowered {
  const writer = new Writer(given, precision);
  const nodes = graph.reachable(outputs, given);
  const once = pickedFrom(nodes);
  for (const node of nodes) {
    const lower = LOWERINGS.get(node.op);
    if (!lower) {
      const [near] = nearestNames(node.op, LOWERINGS.keys(), 1);
      throw new MtcpError('engine', `the operator ${node.op} has no lowering for XLA`, {
        where: node.label || undefined,
        hint: near ? `the nearest that has one is ${near}` : undefined,
      });
    }
    const result = lower(new Operator(node, writer), writer);
    if (result) writer.define(node.outputs[0], result);
    for (const output of node.outputs)
      if (once.has(output)) writer.define(output, writer.barrier(writer.of(output)));
  }
  const results = outputs.map((value) => writer.of(value));
  const { parameters, lines } = writer;
  const list = parameters.map((parameter, i) => argument(parameter, i, donated, mesh)).join(', ');
  const types = results.map(({ dtype, shape }) => typeText(dtype, shape));
  const declared = results.map(({ shape }, i) =>
    withAttributes(types[i], [shardingText(mesh, names[i], shape)]),
  );
  const returned = results.map(({ name }) => name).join(', ');
  const body = [...lines, `return ${returned} : ${types.join(', ')}`].join('\n');
  const { attributes, head } = moduleText(mesh);
  return {
    text: `module @program${attributes} {\n${head}func.func public @main(${list}) -> (${declared.join(', ')}) {\n${body}\n}\n}\n`,
    parameters,
    operations: lines.length,
  };
}

function argument(
  { dtype, shape, input }: Parameter,
  i: number,
  donated: ReadonlyMap<string, number>,
  mesh: Mesh,
): string {
  const output = input === undefined ? undefined : donated.get(input);
  const alias = output === undefined ? undefined : `tf.aliasing_output = ${output} : i32`;
  const attributes = [alias, shardingText(mesh, input, shape)];
  return `%arg${i}: ${withAttributes(typeText(dtype, shape), attributes)}`;
}

function withAttributes(type: string, attributes: readonly (string | undefined)[]): string {
  const given = attributes.filter((attribute) => attribute !== undefined);
  return given.length > 0 ? `${type} {${given.join(', ')}}` : type;
}
