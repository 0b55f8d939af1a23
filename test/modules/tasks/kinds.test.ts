// Kinds of tasks: what each says of labels and predictions, and that nothing else knows them by name.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import '../../../modules/index.js';
import { catalog } from '../../../registry/catalog.js';
import { kindOf, masked, type LabelMap, type MapData, type Motion } from '../../../registry/index.js';
import * as tf from '../../../registry/tf.js';
import { ROOT } from '../../support/rooms.js';

const STILL: Motion = { flip: false, degrees: 0, scale: 1 };
const names = catalog.list('task').map(({ name }) => name);
const labelOf = (kind: string, data: MapData['data'], channels = 1): LabelMap => ({
  kind,
  height: 1,
  width: data.length / channels,
  channels,
  data,
});

describe('kinds of tasks', () => {
  it('are six, each with everything that is usual for it', () => {
    expect(names).to.deep.equal(['binary', 'boundary', 'classes', 'depth', 'normals', 'regression']);
    for (const name of names)
      for (const [kind, slot] of Object.entries(kindOf({ kind: name }).usual)) {
        const { tasks } = catalog.get(kind as 'loss', slot.type);
        expect(tasks === undefined || tasks.includes(name), `${name}: ${kind} ${slot.type}`).to.equal(true);
      }
  });

  it('say what geometry does to values, and leave what they are given alone', () => {
    const given = Float32Array.of(0.6, 0, -0.8);
    const moved = kindOf({ kind: 'normals' }).move!(given, { ...STILL, flip: true }, 3);
    expect([...moved]).to.deep.equal([Math.fround(-0.6), 0, Math.fround(-0.8)]);
    expect(given[0]).to.equal(Math.fround(0.6));
    // A quarter turn counter-clockwise: what pointed right points up.
    const turned = kindOf({ kind: 'normals' }).move!(Float32Array.of(1, 0, 0), { ...STILL, degrees: 90 }, 3);
    expect(turned[0]).to.be.closeTo(0, 1e-6);
    expect(turned[1]).to.be.closeTo(-1, 1e-6);
    expect([
      ...kindOf({ kind: 'depth' }).move!(Float32Array.of(3, 0), { ...STILL, scale: 1.5 }, 1),
    ]).to.deep.equal([2, 0]);
    for (const name of ['classes', 'binary', 'boundary', 'regression'])
      expect(kindOf({ kind: name }).move, name).to.equal(undefined);
  });

  it('mark what is unknown by rules of their own', () => {
    const mark = (kind: string, values: number[], channels = 1) => [
      ...kindOf({ kind }).mark!(Float32Array.from(values), channels),
    ];
    expect(mark('depth', [0, 2, NaN, -1, Infinity])).to.deep.equal([255, 2, 255, 255, 255]);
    expect(mark('normals', [0, 0, 0, 1, 0, 0], 3)).to.deep.equal([255, 255, 255, 1, 0, 0]);
    expect(mark('regression', [0, -3, NaN, 1], 2)).to.deep.equal([0, -3, 255, 255]);
    // A value that is 255 by chance is not unknown.
    const [near] = mark('regression', [255]);
    expect(near).not.to.equal(255);
    expect(near).to.be.closeTo(255, 2e-5);
    expect([...masked([1, 2, 3, 4], [1, 0], 2)]).to.deep.equal([1, 2, NaN, NaN]);
  });

  it('find values that mean nothing', () => {
    const fault = (kind: string, values: number[], channels = 1) =>
      kindOf({ kind }).fault?.(labelOf(kind, Float32Array.from(values), channels));
    expect(fault('depth', [1, -1])).to.deep.include({ at: 1 });
    expect(fault('normals', [0, 0, 0, 2, 0, 0], 3)).to.deep.include({ at: 3 });
    expect(fault('depth', [0, 1])).to.equal(undefined);
    expect(fault('classes', [3])).to.equal(undefined);
  });

  it('know the constant that is best for them', () => {
    const constant = (kind: string, data: MapData['data'], channels = 1) => {
      const tally = kindOf({ kind }).tally({ name: 't', kind, channels });
      tally.add(labelOf(kind, data, channels));
      return tally.constant();
    };
    expect(constant('classes', Uint8Array.of(2, 2, 1, 255))).to.deep.equal([2]);
    expect(constant('depth', Float32Array.of(1, 3, 255))).to.deep.equal([2]);
    expect(constant('normals', Float32Array.of(0, 0, -1, 0, 0, -1), 3)).to.deep.equal([0, 0, -1]);
    expect(constant('boundary', Uint8Array.of(0, 1))).to.deep.equal([1]);
    expect(constant('regression', Float32Array.of(1, 10, 3, 20, 255, 255), 2)).to.deep.equal([2, 15]);
    for (const name of ['classes', 'depth', 'normals', 'regression'])
      expect(constant(name, Float32Array.of(255, 255, 255), name === 'normals' ? 3 : 1), name).to.equal(null);
  });

  it('decode raw predictions, of one logit or two', () => {
    const decode = (kind: string, values: number[], channels: number) => [
      ...kindOf({ kind })
        .decode(tf.tensor4d(values, [1, 1, values.length / channels, channels]), {
          name: 't',
          kind,
          channels,
        })
        .dataSync(),
    ];
    expect(decode('classes', [0, 2, 1, 5, 4, 3], 3)).to.deep.equal([1, 0]);
    expect(decode('depth', [-1, 2], 1)).to.deep.equal([-1, 2]);
    expect(decode('boundary', [0], 1)).to.deep.equal([0.5]);
    expect(decode('binary', [0, 0], 2)).to.deep.equal([0.5]);
    expect(decode('normals', [0, 3, 4], 3)[1]).to.be.closeTo(0.6, 1e-6);
    expect(decode('regression', [1, 2, 3, 4], 2)).to.deep.equal([1, 2, 3, 4]);
  });

  it('show every value in colours that their legend has', () => {
    for (const name of names) {
      const kind = kindOf({ kind: name });
      const task = { name: 't', kind: name, channels: name === 'normals' ? 3 : 1, unit: 'K' };
      const data = name === 'normals' ? Float32Array.of(0, 0, -1) : Float32Array.of(1);
      const map = labelOf(name, data, task.channels);
      const range = kind.range?.([map]) ?? [0, 1];
      expect(kind.colour(data, 0, range, task.channels), name).to.have.length(3);
      const legend = kind.legend(task, [map], range);
      expect(legend.kind === 'scale' ? legend.colours : legend.entries, name).not.to.have.length(0);
    }
  });

  it('are compared by name nowhere: the loader, reports, predictions and exports ask the kind', () => {
    const known = names.join('|');
    const compared = new RegExp(
      `\\bkind\\b\\)? *(===|!==|==) *['"](${known})['"]|case '(${known})'|\\b(${known})'\\.includes\\(`,
    );
    const found: string[] = [];
    for (const folder of ['registry', 'modules', 'runners'])
      for (const file of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
        if (!file.endsWith('.ts')) continue;
        readFileSync(join(ROOT, folder, file), 'utf8')
          .split('\n')
          .forEach((line, i) => {
            if (compared.test(line)) found.push(`${folder}/${file}:${i + 1}: ${line.trim()}`);
          });
      }
    expect(found).to.deep.equal([]);
  });
});
