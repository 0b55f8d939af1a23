// How fast a device is: from measurements to a speed, what is kept of it, data sheets, and a measurement of this machine.
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MtcpError } from '../../../registry/errors.js';
import { RecordingEngine } from '../../../runners/engine/recording.js';
import { USUAL, type Work } from '../../../runners/engine/graph/cost.js';
import { TARGETS } from '../../../runners/engine/graph/target.js';
import { knownSpeed, measure, secondsOf, sheetSpeed, speedOf } from '../../../runners/engine/speed.js';

const TINY: Work = { operators: 1500, operations: 3e6, numbers: 8e5 };
const THICK: Work = { operators: 400, operations: 2.7e9, numbers: 9e7 };
const WIDE: Work = { operators: 500, operations: 3e9, numbers: 3e8 };

describe('the speed of a device', () => {
  it('is what explains measurements: operators apart from products and memory', () => {
    const speed = { operators: 5e-6, operations: USUAL.operations / 3, numbers: USUAL.numbers / 3 };
    const found = speedOf([TINY, THICK, WIDE].map((work) => ({ work, seconds: secondsOf(work, speed) })));
    expect(found.operators / speed.operators).to.be.within(0.95, 1.05);
    expect(found.operations / speed.operations).to.be.within(0.9, 1.1);
    expect(found.numbers / speed.numbers).to.be.within(0.9, 1.1);
  });

  it('takes the middle of measurements that disagree, and no part of it is free', () => {
    const of = (factors: readonly number[]) =>
      speedOf([TINY, THICK, WIDE].map((work, i) => ({ work, seconds: factors[i] * secondsOf(work, USUAL) })));
    expect(of([1, 2, 8]).operations / USUAL.operations).to.be.within(3.8, 4.2);
    const bound = speedOf([TINY, THICK, WIDE].map((work) => ({ work, seconds: work.operators * 1e-6 })));
    expect(bound.operations).to.be.above(0);
    expect(bound.operators).to.be.within(0.8e-6, 1e-6);
  });

  it('is measured once, unless other programs use the machine', async () => {
    const before = process.env.MTCP_CACHE;
    const cache = mkdtempSync(join(tmpdir(), 'mtcp-speed-'));
    process.env.MTCP_CACHE = cache;
    let measured = 0;
    const measuring = () => Promise.resolve({ ...USUAL, operators: ++measured });
    try {
      const busy = await knownSpeed(['a', 2], measuring, 1000);
      expect(busy).to.deep.equal({ speed: { ...USUAL, operators: 1 }, busy: true });
      expect((await knownSpeed(['a', 2], measuring, 0)).speed.operators).to.equal(2);
      expect(await knownSpeed(['a', 2], measuring, 1000)).to.deep.equal({
        speed: { ...USUAL, operators: 2 },
        busy: false,
      });
      // Other threads are another device.
      expect((await knownSpeed(['a', 1], measuring, 0)).speed.operators).to.equal(3);
      for (const name of readdirSync(join(cache, 'speeds'))) writeFileSync(join(cache, 'speeds', name), '{');
      expect((await knownSpeed(['a', 2], measuring, 0)).speed.operators).to.equal(4);
    } finally {
      if (before === undefined) delete process.env.MTCP_CACHE;
      else process.env.MTCP_CACHE = before;
    }
  });

  it('of a device that is not here comes from its data sheet', () => {
    const [float32, tf32, bfloat16] = (['float32', 'tf32', 'bfloat16'] as const).map(
      (precision) => sheetSpeed('h100', precision).speed,
    );
    expect(float32.operations / tf32.operations).to.be.closeTo(494 / 67, 1e-9);
    expect(bfloat16.operations).to.be.below(tf32.operations);
    expect(bfloat16.numbers).to.equal(float32.numbers);
    // No faster than the sheet says.
    expect(1 / float32.operations).to.be.below(67e12);
    expect(4 / float32.numbers / 3).to.be.below(3.35e12);
    expect(() => sheetSpeed('h10', 'float32'))
      .to.throw(MtcpError)
      .with.property('hint')
      .that.contains('h100');
    expect(() => sheetSpeed('toString', 'float32')).to.throw(MtcpError);
  });

  it('of this machine explains the small networks that it was measured with', async () => {
    const engine = new RecordingEngine({ threads: 1, optimize: 'none' });
    const samples = await measure(engine, TARGETS.cpu);
    engine.close();
    expect(samples).to.have.length(3);
    const [tiny, thick, wide] = samples.map(({ work }) => work);
    // One is of operators, the others are of products and of memory.
    expect(tiny.operators).to.be.above(2 * wide.operators);
    expect(thick.operations).to.be.above(100 * tiny.operations);
    expect(wide.numbers / wide.operations).to.be.above(2 * (thick.numbers / thick.operations));
    const speed = speedOf(samples);
    for (const { work, seconds } of samples) expect(secondsOf(work, speed) / seconds).to.be.within(0.2, 5);
  }).timeout(120_000);
});
