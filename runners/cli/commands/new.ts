// mtcp new: writes an experiment or a component to start from.
import type { Command } from 'commander';
import { relative } from 'node:path';

export function declare(command: Command): void {
  command
    .command('component')
    .summary('write a component of your own that works as it is')
    .description('Writes a working component of this kind in TypeScript, and trusts the file.')
    .argument('<kind>', 'interaction, head, loss, scheme, dataset, ...')
    .argument('<name>', 'its name in experiment files, such as my-block')
    .option('-o, --out <path>', 'folder or file to write', '.')
    .addHelpText('after', '\nExample:\n  mtcp new component interaction my-block')
    .action(component);
  command
    .command('experiment')
    .summary('write an experiment file from one that exists')
    .description('Writes an experiment file that begins as a copy or an extension of another one.')
    .argument('<name>', 'name of the file and of the folder of the runs')
    .option('--from <experiment>', 'an experiment that comes with mtcp, such as table3, or a file')
    .option('-o, --out <path>', 'folder or file to write', '.')
    .addHelpText('after', '\nExample:\n  mtcp new experiment my-study --from table3')
    .action(experiment);
}

const short = (file: string): string => {
  const path = relative('.', file);
  return path.startsWith('..') ? file : path;
};

async function component(kind: string, name: string, { out }: { out?: string }): Promise<void> {
  const { newComponent } = await import('../../app/authoring/component.js');
  const { file, usage, tsconfig } = newComponent(kind, name, out);
  const a = /^[aeiou]/.test(kind) ? 'an' : 'a';
  const settings = tsconfig === undefined ? '' : `\n${short(tsconfig)}: settings for your editor`;
  process.stdout.write(`${short(file)}: ${a} ${kind} that works as it is${settings}

In an experiment file (paths are relative to it):
  plugins: ${short(file)}
  ${usage}

Then: mtcp describe ${name} --file EXPERIMENT.yaml
      mtcp validate --deep --profile smoke EXPERIMENT.yaml
`);
}

async function experiment(name: string, options: { from?: string; out?: string }): Promise<void> {
  const { newExperiment } = await import('../../app/authoring/experiment.js');
  const { file, from } = newExperiment(name, options);
  process.stdout.write(`${short(file)}: started from ${short(from)}

Next: mtcp plan ${short(file)}
      mtcp run ${short(file)} --profile smoke
`);
}
