// Data flows one way: experiments -> schemas -> registry -> modules -> runners. This keeps imports so.
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'registry-knows-nobody',
      comment: 'The registry holds contracts and the catalog: whoever it imported could not be replaced.',
      severity: 'error',
      from: { path: '^dist/registry' },
      to: { path: '^dist/(modules|runners)' },
    },
    {
      name: 'modules-do-not-know-runners',
      comment: 'A component must work in any program, not in this runner alone.',
      severity: 'error',
      from: { path: '^dist/modules' },
      to: { path: '^dist/runners' },
    },
    {
      name: 'engine-knows-no-models',
      comment: 'The engine runs graphs; what they are made of is none of its business.',
      severity: 'error',
      from: { path: '^dist/runners/engine' },
      to: { path: '^dist/(modules|runners/(?!engine))' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: { doNotFollow: { path: 'node_modules' }, exclude: { path: 'node_modules' } },
};
