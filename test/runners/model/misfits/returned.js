// Components that return what nobody can use, by option: one for each kind of part and each kind of slip.
import { define } from 'mtcp/registry';

const options = {
  type: 'object',
  additionalProperties: false,
  properties: { how: { type: 'string', description: 'What it returns.' } },
  required: ['how'],
};

const one = ({ tasks }) => Object.values(tasks)[0][0].data;

const FEATURES = {
  nothing: () => undefined,
  'a list': (features) => [features],
  'a tensor': one,
  'only tasks': ({ tasks }) => ({ tasks }),
  'all tasks but one': (features) => ({ ...features, tasks: { ...features.tasks, depth: undefined } }),
  'maps without stride': (features) => ({
    ...features,
    tasks: Object.fromEntries(Object.keys(features.tasks).map((name) => [name, [{ data: one(features) }]])),
  }),
  'tensors for pyramids': (features) => ({
    ...features,
    tasks: Object.fromEntries(Object.keys(features.tasks).map((name) => [name, one(features)])),
  }),
};

const ENCODED = {
  nothing: () => undefined,
  'a map': (image) => image,
  'the map itself': (image) => ({ shared: image }),
  'one of three tasks': (image) => ({ tasks: { depth: [image] } }),
};

const PREDICTION = { nothing: () => undefined, 'a map': ([map]) => map };

const LOSS = {
  nothing: () => undefined,
  'a bare tensor': (value) => value,
  'a map': (value, map) => ({ value: map, valid: value }),
  'no count': (value) => ({ value }),
  'a number': () => 3,
  'a number as count': (value) => ({ value, valid: 5 }),
};

const name = 'returned';
const summary = 'Returns what nobody can use.';
const returns = (kind, ways, given) =>
  define({
    kind,
    name,
    summary,
    options,
    // Goldens beside this one list what there is for depth.
    tasks: kind === 'loss' ? ['normals'] : undefined,
    create: ({ options: { how } }) => ({ forward: (...all) => ways[how](...given(...all)) }),
  });

returns('backbone', ENCODED, (_, image) => [image]);
returns('interaction', FEATURES, (_, features) => [features]);
returns('head', PREDICTION, (_, pyramid) => [pyramid]);
returns('loss', LOSS, (prediction, label) => {
  const map = prediction.sub(label).abs();
  return [map.mean(), map];
});
returns('auxiliary', { nothing: () => undefined }, () => []);

define({
  kind: 'scheme',
  name,
  summary,
  options,
  create: ({ options: { how }, tasks }) => ({
    project: how === 'project' ? () => undefined : (loss) => loss,
    combine: (_, losses) =>
      how === 'combine' ? undefined : how === 'losses' ? losses : { ...values(losses) },
    weights: () =>
      how === 'weights'
        ? undefined
        : Object.fromEntries(tasks.map(({ name }) => [name, how === 'NaN' ? NaN : 1])),
    state: () => null,
    restore: () => {},
  }),
});
const values = (losses) =>
  Object.fromEntries(Object.entries(losses).map(([task, { value }]) => [task, value]));

define({
  kind: 'dataset',
  name: 'new-kind',
  summary: 'Has labels of a kind that mtcp does not know.',
  create: () => ({
    tasks: [{ name: 'depth', kind: 'flow', channels: 2 }],
    prepare() {},
    ids() {},
    load() {},
  }),
});

// Classes that lack what their kind must have.
define({ kind: 'metric', name: 'unfinished', summary, create: () => ({ create: () => ({}) }) });
define({ kind: 'optimizer', name: 'unfinished', summary, create: () => ({ rate: 1, update: () => ({}) }) });
define({ kind: 'schedule', name: 'unfinished', summary, create: () => undefined });
