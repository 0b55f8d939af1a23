// Components in the form of before `needs` and `taps`: what they say is read by nobody.
import { define } from 'mtcp/registry';

define({
  kind: 'scheme',
  name: 'former-scheme',
  summary: 'Asks for evaluations as schemes once did.',
  create: ({ tasks }) => ({
    needsEvaluation: true,
    project: (loss) => loss,
    combine: (_scope, losses) => losses,
    weights: () => Object.fromEntries(tasks.map(({ name }) => [name, 1])),
    state: () => null,
    restore: () => {},
  }),
});

define({
  kind: 'backbone',
  name: 'former-backbone',
  summary: 'Returns inner maps as backbones once did.',
  create: () => ({ forward: (_scope, image) => ({ shared: [image], inner: [image] }) }),
});
