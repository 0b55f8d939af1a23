// AdamW against PyTorch, over steps with a changing rate; the poly schedule that made the rates; clipping.
import '../../../modules/index.js';
import { expect } from 'chai';
import type * as tf from '../../../registry/tf.js';
import { createTrialContainer } from '../../../registry/container.js';
import { hostTensor } from '../../../runners/engine/engine.js';
import { expectClose, recordingEngine } from '../../support/oracle.js';
import { setting, stored } from '../../support/parts.js';

describe('adamw', () => {
  it('makes the steps of torch.optim.AdamW, in place', async () => {
    const rates = setting<number[]>('adamw', 'rates');
    const factory = createTrialContainer([]);
    const optimizer = factory.create('optimizer', {
      type: 'adamw',
      rate: rates[0],
      weight_decay: setting('adamw', 'decay'),
    });
    const schedule = factory.create('schedule', { type: 'poly' });
    const [length] = stored('adamw', 'initial').shape;
    const program = await recordingEngine.compile('adamw', (tracer) => {
      const vector = (name: string) => tracer.input(name, 'float32', [length]) as tf.Tensor1D;
      const slots = Object.fromEntries(optimizer.slots.map((slot) => [slot, vector(slot)]));
      const scalars = Object.fromEntries(
        Object.keys(optimizer.scalars(1, 1)).map((name) => [
          name,
          tracer.input(`scalar/${name}`, 'float32', []) as tf.Scalar,
        ]),
      );
      const { parameter, slots: next } = optimizer.update(
        vector('parameter'),
        vector('gradient'),
        slots,
        scalars,
      );
      return {
        'new/parameter': parameter,
        ...Object.fromEntries(Object.entries(next).map(([slot, value]) => [`new/${slot}`, value])),
      };
    });
    const hosts = new Map<string, ReturnType<typeof hostTensor>>();
    const binding = program.bind((name, spec) => {
      const key = name.replace('new/', '');
      if (!hosts.has(key)) hosts.set(key, hostTensor(spec));
      return hosts.get(key)!;
    });
    hosts.get('parameter')!.data.set(stored('adamw', 'initial').data);
    for (const [i, rate] of rates.entries()) {
      expect(
        rates[0] * schedule.factor({ epoch: i, epochs: rates.length, step: i, stepsPerEpoch: 1 }),
      ).to.be.closeTo(rate, 1e-12);
      hosts
        .get('gradient')!
        .data.set(stored('adamw', 'gradients').data.subarray(i * length, (i + 1) * length));
      for (const [name, value] of Object.entries(optimizer.scalars(i + 1, rate)))
        hosts.get(`scalar/${name}`)!.data[0] = value;
      await binding.run();
      const after = stored('adamw', 'parameters').data.subarray(i * length, (i + 1) * length);
      expectClose(hosts.get('parameter')!.data, after, 2e-6, `step ${i + 1}`);
    }
    binding.close();
    program.close();
  });
});
