// Every exported function of modules/nn says what it does, and those that handle tensors say their shapes.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../../support/rooms.js';

const FOLDER = join(ROOT, 'modules/nn');
const EXPORTED =
  /(?:(\/\*\*(?:(?!\*\/)[\s\S])*\*\/)\n)?^export (?:function\*? (\w+)|const (\w+) = (?:<[^\n]*>)?\()([\s\S]*?)(?:\{\n|=> )/gm;
const TENSORS = /\b(Tensor|Tensor\dD|Scalar|FeatureMap|Pyramid)\b/;
const SHAPE = /\[[^\]]+\]|\bshapes?\b|\bscalar\b/i;

const functions = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) =>
    [...readFileSync(join(FOLDER, file), 'utf8').matchAll(EXPORTED)].map(([, doc = '', a, b, signature]) => ({
      name: `${file}: ${a ?? b}`,
      doc,
      tensors: TENSORS.test(signature),
    })),
  );

describe('the documentation of modules/nn', () => {
  it('is there for every exported function', () => {
    expect(functions.length).to.be.above(60);
    expect(functions.filter(({ doc }) => doc === '').map(({ name }) => name)).to.deep.equal([]);
  });

  it('names the shapes of what handles tensors', () => {
    const tensors = functions.filter((each) => each.tensors);
    expect(tensors.length).to.be.above(50);
    expect(tensors.filter(({ doc }) => !SHAPE.test(doc)).map(({ name }) => name)).to.deep.equal([]);
  });
});
