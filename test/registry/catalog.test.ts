// Announcing components, finding them, and making them in the container of a trial.
import { expect } from 'chai';
import '../../modules/schedules/constant.js';
import { catalog, Catalog } from '../../registry/catalog.js';
import { announcedFrom, component, options, tasks } from '../../registry/component.js';
import type { ComponentEntry } from '../../registry/entry.js';
import { createTrialContainer } from '../../registry/container.js';
import type { Schedule } from '../../registry/contracts/learning.js';
import type { Task } from '../../registry/contracts/tasks.js';
import type { MtcpError } from '../../registry/errors.js';
import { defineOptions, type OptionsOf } from '../../registry/options.js';

const schema = defineOptions({ height: { type: 'number', default: 3, description: 'How high.' } });

function announce(name: string): void {
  @component({ kind: 'schedule', name, summary: 'A step.', options: schema, file: import.meta.url })
  class Step implements Schedule {
    constructor(
      @options() readonly given: OptionsOf<typeof schema>,
      @tasks() readonly all: readonly Task[],
    ) {}
    factor(): number {
      return this.given.height * this.all.length;
    }
  }
  void Step;
}

const thrown = (f: () => unknown): MtcpError => {
  try {
    f();
  } catch (error) {
    return error as MtcpError;
  }
  throw new Error('nothing was thrown');
};

describe('the catalog', () => {
  afterEach(() => catalog.remove('schedule', 'test-step'));

  it('knows what was announced and from which file', () => {
    announce('test-step');
    const entry = catalog.get('schedule', 'test-step');
    expect(entry.summary).to.equal('A step.');
    expect(entry.file).to.match(/catalog\.test\.js$/);
    expect(catalog.list('schedule').map(({ name }) => name)).to.include('test-step');
  });

  it('is told the file by whoever loads it, or refuses', () => {
    const meta = { kind: 'schedule', name: 'test-step', summary: 'A step.' } as const;
    expect(() => component(meta)).to.throw('schedule "test-step" does not say which file announces it');
    announcedFrom('/plugins (1)/a.ts', () =>
      component(meta)(
        class {
          factor = () => 1;
        },
      ),
    );
    expect(catalog.get('schedule', 'test-step').file).to.equal('/plugins (1)/a.ts');
    expect(() => component(meta)).to.throw('does not say');
  });

  it('refuses a name twice and names both files', () => {
    announce('test-step');
    const error = thrown(() => announce('test-step'));
    expect(error.message).to.equal('schedule "test-step" is registered twice');
    expect(error.where).to.match(/catalog\.test\.js$/);
    expect(error.hint).to.match(/the other one is in .*catalog\.test\.js/);
  });

  it('answers an unknown name with the nearest ones of its kind', () => {
    const own = new Catalog();
    for (const name of ['poly', 'cosine', 'constant']) own.add({ kind: 'schedule', name } as ComponentEntry);
    own.add({ kind: 'scheme', name: 'ploy' } as ComponentEntry);
    const error = thrown(() => own.get('schedule', 'polly'));
    expect(error.message).to.equal('unknown schedule "polly"');
    expect(error.hint).to.contain('did you mean "poly"').and.not.to.contain('ploy');
  });
});

describe("a trial's container", () => {
  afterEach(() => catalog.remove('schedule', 'test-step'));

  it('makes components with their own options, defaults filled in, and the tasks of the trial', () => {
    announce('test-step');
    const all = [{ name: 'depth' }, { name: 'normals' }] as Task[];
    const container = createTrialContainer(all);
    const [standard, tall] = [{}, { height: 10 }].map((given) =>
      container.create('schedule', { type: 'test-step', ...given }),
    );
    const progress = { epoch: 0, epochs: 1, step: 0, stepsPerEpoch: 1 };
    expect([standard.factor(progress), tall.factor(progress)]).to.deep.equal([6, 20]);
    expect(createTrialContainer([]).create('schedule', { type: 'test-step' }).factor(progress)).to.equal(0);
  });

  it('hands a class without a constructor what its base classes ask for', () => {
    abstract class Base implements Schedule {
      constructor(
        @options() protected readonly given: OptionsOf<typeof schema>,
        @tasks() protected readonly all: readonly Task[],
      ) {}
      abstract factor(): number;
    }
    abstract class Middle extends Base {
      readonly doubled = 2 * this.given.height;
    }
    @component({
      kind: 'schedule',
      name: 'test-step',
      summary: 'A step.',
      options: schema,
      file: import.meta.url,
    })
    class Leaf extends Middle {
      factor(): number {
        return this.doubled + this.all.length;
      }
    }
    void Leaf;
    const slot = { type: 'test-step', height: 5 };
    const made = createTrialContainer([{ name: 'depth' } as Task]).create('schedule', slot);
    expect(made.factor({ epoch: 0, epochs: 1, step: 0, stepsPerEpoch: 1 })).to.equal(11);
  });

  it('knows components that were announced after it was made, and makes a new one each time', () => {
    const container = createTrialContainer([]);
    expect(container.create('schedule', { type: 'constant' })).to.be.an('object');
    announce('test-step');
    const make = () => container.create('schedule', { type: 'test-step' });
    expect(make()).not.to.equal(make());
    expect(() => container.create('schedule', { type: 'test-stop' })).to.throw(
      'unknown schedule "test-stop"',
    );
  });
});
