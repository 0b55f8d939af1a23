// The layers of mtcp, checked on the sources, types included: a folder may import those to its left and itself.
// docs/architecture.md explains them.
const registry = ['registry'];
const modules = ['modules'];
const runners = [
  ['support'],
  ['drawing'],
  ['config'],
  ['engine'],
  ['store'],
  ['data'],
  ['model'],
  ['training'],
  ['inference'],
  ['tracking', 'reporting'],
  ['launching'],
  ['app'],
  ['cli'],
].map((layer) => layer.map((folder) => `runners/${folder}`));
const layers = [registry, modules, ...runners];

const within = (folders) => `^(${folders.join('|')})/`;

/** Two folders of one layer may not import each other either. */
const forbidden = layers.flatMap((layer, i) =>
  layer.map((folder) => ({
    name: `${folder}-imports-to-the-left`,
    comment: `${folder}/ may import ${[...layers.slice(0, i).flat(), folder].join(', ')}`,
    severity: 'error',
    from: { path: within([folder]) },
    to: { path: within([...layer.filter((other) => other !== folder), ...layers.slice(i + 1).flat()]) },
  })),
);

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...forbidden,
    {
      name: 'no-cycles',
      comment: 'Neither of two files that import each other can be understood or tested alone.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { path: within(layers.flat()) },
      to: { path: '^(test|bench)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['node_modules', '^dist/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
