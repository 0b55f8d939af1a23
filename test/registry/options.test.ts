// Options: what is required, what is filled in, and what TypeScript makes of it (checked where this file is compiled).
import { expect } from 'chai';
import {
  defineOptions,
  withDefaults,
  withoutDefaulted,
  type OptionsOf,
  type Slot,
} from '../../registry/options.js';

const schema = defineOptions({
  root: { type: 'string', description: 'No default.' },
  kind: { enum: ['a', 'b', null], default: null, description: 'May be absent.' },
  head: { $ref: '#/definitions/head', description: 'A component.' },
  unit: {
    anyOf: [{ $ref: '#/definitions/head' }, { type: 'null' }],
    default: null,
    description: 'One or none.',
  },
  nested: {
    type: 'object',
    default: {},
    description: 'A map.',
    properties: { depth: { type: 'integer', default: 3 }, width: { type: 'integer' } },
  },
});
type Options = OptionsOf<typeof schema>;

describe('options', () => {
  it('are closed objects that require what has no default, at every depth', () => {
    expect(schema).to.deep.include({
      type: 'object',
      additionalProperties: false,
      required: ['root', 'head'],
    });
    expect(schema.properties.nested).to.deep.include({ additionalProperties: false, required: ['width'] });
  });

  it('are always there for the component if they have a default', () => {
    const given = { root: '/data', head: { type: 'linear' }, nested: { width: 2 } };
    const filled = withDefaults(schema, given) as Options;
    expect(filled).to.deep.equal({ ...given, kind: null, unit: null, nested: { width: 2, depth: 3 } });
  });

  it('have the type that their schema says', () => {
    type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
    const checks: [
      Equal<Options['root'], string>,
      Equal<Options['kind'], 'a' | 'b' | null>,
      Equal<Options['nested']['depth'], number>,
      Options['head'] extends Slot ? true : false,
      null extends Options['unit'] ? true : false,
      // @ts-expect-error -- there is no such option
      Options['rooot'] extends never ? false : false,
    ] = [true, true, true, true, true, false];
    expect(checks).to.have.length(6);
  });

  it('of a hand-written schema need not repeat in `required` what has a default', () => {
    const written = {
      type: 'object',
      additionalProperties: false,
      properties: { a: { default: 1 }, b: {}, c: { properties: { d: { default: 2 } }, required: ['d'] } },
      required: ['a', 'b'],
    } as const;
    const { required, properties } = withoutDefaulted(written);
    expect(required).to.deep.equal(['b']);
    expect(properties.c.required).to.deep.equal([]);
  });
});
