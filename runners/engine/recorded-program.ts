// A recorded graph with the session that runs it. Inputs and outputs are named; a binding ties them to arrays, and a
// run reads and writes those. The graph is kept to answer questions about the program: its cost by operator, and
// where the first value that is not finite appears.
import { MtcpError } from '../../registry/errors.js';
import { hostTensor, type Program, type ProgramStats, type TensorSpec } from './engine.js';
import { flopsOfNode } from './graph/cost.js';
import type { Graph, Value } from './graph/ir.js';
import type { HostTensor, Session } from './ort/session.js';

export class RecordedProgram implements Program {
  readonly inputs: ReadonlyMap<string, TensorSpec>;
  readonly outputs: ReadonlyMap<string, TensorSpec>;

  constructor(
    readonly name: string,
    readonly graph: Graph,
    outputs: ReadonlyMap<string, Value>,
    /** What the session computes: the outputs before their last reshape. */
    readonly values: ReadonlyMap<string, Value>,
    /** Values that come in from outside, with their names. */
    readonly given: ReadonlyMap<Value, string>,
    readonly session: Session,
    readonly stats: ProgramStats,
    readonly lanes: number,
    readonly release: () => void,
    readonly create: (outputs: ReadonlyMap<string, Value>) => Promise<Session>,
  ) {
    this.inputs = new Map(
      usedInputs(graph, [...values.values()], given).map((value) => [
        given.get(value) ?? value.input!,
        specOf(value),
      ]),
    );
    this.outputs = new Map([...outputs].map(([key, value]) => [key, specOf(value)]));
  }

  get deviceBytes(): number | undefined {
    return this.session.deviceBytes;
  }

  flopsByOperator(): readonly number[] {
    return this.graph.reachable([...this.values.values()], this.given).map(flopsOfNode);
  }

  bind(tensors: (name: string, spec: TensorSpec) => HostTensor) {
    const pick = (specs: ReadonlyMap<string, TensorSpec>) =>
      new Map([...specs].map(([name, spec]) => [name, tensors(name, spec)]));
    const outputs = pick(this.outputs);
    for (const [name, { shape }] of this.values) outputs.set(name, { ...outputs.get(name)!, shape });
    return this.session.bind(pick(this.inputs), outputs);
  }

  async firstNonFinite(inputs: (name: string, spec: TensorSpec) => HostTensor): Promise<string | undefined> {
    for (const [name, spec] of this.inputs)
      if (!inputs(name, spec).data.every(Number.isFinite)) return `input "${name}"`;
    // A graph whose outputs are "how many elements of this value are finite", in the order of computation.
    const nodes = this.graph.reachable([...this.values.values()], this.given);
    const watched = nodes.flatMap((node) =>
      node.outputs.filter((value) => value.dtype === 'float32').map((value) => ({ node, value })),
    );
    const firstIn = async (chunk: typeof watched): Promise<(typeof watched)[number] | undefined> => {
      const sums = new Map(chunk.map(({ value }, i) => [`s${i}`, finiteSum(this.graph, value)]));
      const session = await this.create(sums);
      const results = new Map([...sums].map(([key, value]) => [key, hostTensor(specOf(value))]));
      const used = usedInputs(this.graph, [...sums.values()], this.given);
      const binding = session.bind(
        new Map(
          used.map((value) => {
            const name = this.given.get(value) ?? value.input!;
            return [name, inputs(name, specOf(value))];
          }),
        ),
        results,
      );
      try {
        await binding.run();
      } catch (error) {
        // NaN that becomes an index makes an operator fail; its cause is a value before it.
        if (chunk.length === 1) throw error;
        const half = Math.ceil(chunk.length / 2);
        return (await firstIn(chunk.slice(0, half))) ?? (await firstIn(chunk.slice(half)));
      } finally {
        binding.close();
        session.close();
      }
      return chunk.find((_, i) => !Number.isFinite(results.get(`s${i}`)!.data[0]));
    };
    for (let at = 0; at < watched.length; at += WATCHED_AT_ONCE) {
      const found = await firstIn(watched.slice(at, at + WATCHED_AT_ONCE));
      if (found) return `${found.node.op} in ${found.node.label || 'the model'}`;
    }
    return undefined;
  }

  close(): void {
    this.release();
  }
}

/** Number of values checked in one run when searching for the first that is not finite. */
const WATCHED_AT_ONCE = 200;

/** 0 if every element is finite, NaN otherwise: x - x is NaN exactly for NaN and infinities. */
function finiteSum(graph: Graph, x: Value): Value {
  const [difference] = graph.emit('Sub', [x, x], {}, [{ dtype: 'float32', shape: x.shape }]);
  return graph.emit('ReduceSum', [difference], { keepdims: { int: 0 } }, [
    { dtype: 'float32', shape: [] },
  ])[0];
}

function usedInputs(graph: Graph, outputs: readonly Value[], given: ReadonlyMap<Value, string>): Value[] {
  const used = new Set<Value | null>(outputs);
  for (const node of graph.reachable(outputs, given)) for (const input of node.inputs) used.add(input);
  return [...graph.inputs, ...given.keys()].filter((value) => used.has(value));
}

function specOf({ dtype, shape }: Value): TensorSpec {
  if (dtype !== 'float32' && dtype !== 'int32')
    throw new MtcpError('engine', `a program's output is of type ${dtype}; cast it to float32 or int32`);
  return { dtype, shape };
}
