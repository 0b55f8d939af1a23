// mtcp new: starting points for people.
import { relative } from 'node:path';
import { newComponent } from '../app/authoring/component.js';
import { newExperiment } from '../app/authoring/experiment.js';

const short = (file: string): string => {
  const path = relative('.', file);
  return path.startsWith('..') ? file : path;
};

export function component(kind: string, name: string, { out }: { out?: string }): void {
  const { file, usage, tsconfig } = newComponent(kind, name, out);
  const a = /^[aeiou]/.test(kind) ? 'an' : 'a';
  const settings = tsconfig === undefined ? '' : `\n${short(tsconfig)}: settings for your editor`;
  process.stdout.write(`${short(file)}: ${a} ${kind} that works as it is${settings}

In an experiment file (paths are relative to it):
  plugins: ${short(file)}
  ${usage}

Then: mtcp describe ${name} --file EXPERIMENT.yaml
      mtcp validate --deep EXPERIMENT.yaml
`);
}

export function experiment(name: string, options: { from?: string; out?: string }): void {
  const { file, from } = newExperiment(name, options);
  process.stdout.write(`${short(file)}: started from ${short(from)}

Next: mtcp plan ${short(file)}
      mtcp run ${short(file)} --profile smoke
`);
}
