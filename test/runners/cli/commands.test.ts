import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { Command } from 'commander';
import { COMMANDS, declareCommands } from '../../../runners/cli/commands/index.js';

/** Every command that does something, with its help as a person sees it. */
async function helps(): Promise<Map<string, string>> {
  const program = new Command('mtcp');
  let written = '';
  program.configureOutput({ writeOut: (text) => void (written += text) });
  for (const [name, { summary, load }] of Object.entries(COMMANDS))
    if (summary !== undefined) (await load()).declare(program.command(name).summary(summary));
  const found = new Map<string, string>();
  const visit = (command: Command, path: string) => {
    for (const below of command.createHelp().visibleCommands(command)) {
      if (below.name() === 'help') continue;
      const name = `${path} ${below.name()}`;
      if (below.commands.length > 0) visit(below, name);
      else {
        written = '';
        below.outputHelp();
        found.set(name, written);
      }
    }
  };
  visit(program, 'mtcp');
  return found;
}

describe('commands', () => {
  it('say in their help what they do', async () => {
    for (const [name, help] of await helps())
      expect(help, name).to.match(/^Usage: .*\n\n[A-Z][^:]*[^]*?\.\n\n(?:Arguments|Options):/);
  });

  it('show in their help how they are called', async () => {
    const all = await helps();
    expect([...all.keys()]).to.include.members(['mtcp run', 'mtcp config diff', 'mtcp data show']);
    for (const [name, help] of all) {
      const shown = help.split(/^(?:Examples?|Install):$/m)[1] ?? '';
      expect(shown, name).to.include(name);
    }
  });

  it('are all in mtcp --help, which loads none of their files', async () => {
    const program = new Command('mtcp');
    await declareCommands(program, ['--help']);
    const help = program.helpInformation();
    const folder = new URL('../../../runners/cli/commands/', import.meta.url);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (!entry.isDirectory() && !entry.name.endsWith('.js')) continue;
      if (entry.name === 'index.js') continue;
      const name = entry.name.replace(/\.js$/, '');
      expect(COMMANDS, `${name} is not listed`).to.have.property(name);
      const { summary } = COMMANDS[name];
      if (summary !== undefined)
        expect(help).to.match(new RegExp(`^ +${name} .*${summary.slice(0, 12)}`, 'm'));
    }
    // What a command takes is known only once its file is loaded.
    for (const { options, registeredArguments, commands } of program.commands)
      expect([...options, ...registeredArguments, ...commands]).to.deep.equal([]);
  });

  it('are declared in full when they are called, in front of what they take', async () => {
    for (const words of [
      ['plan', 'x.yaml'],
      ['--trust', 'plan', 'x.yaml'],
      ['help', 'plan'],
    ]) {
      const program = new Command('mtcp');
      await declareCommands(program, words);
      const plan = program.commands.find((command) => command.name() === 'plan')!;
      expect(plan.options.map(({ long }) => long)).to.include('--runs');
    }
  });

  it('declare themselves without loading TensorFlow.js, an engine or an image library', () => {
    const commands = new URL('../../../runners/cli/commands/index.js', import.meta.url).href;
    const script = `
      import { Module } from 'node:module';
      const { COMMANDS } = await import(${JSON.stringify(commands)});
      for (const { load } of Object.values(COMMANDS)) await load();
      console.log(JSON.stringify(Object.keys(Module._cache)));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
    });
    expect(stderr).to.equal('');
    expect(stdout)
      .to.match(/node_modules/)
      .and.not.to.match(/tfjs|tensorflow|onnxruntime|sharp/);
  });

  it('call what they write -o and --out, and take --output for it', async () => {
    const found: string[] = [];
    for (const name of Object.keys(COMMANDS)) {
      const program = new Command('mtcp').exitOverride().configureOutput({ writeErr: () => {} });
      await declareCommands(program, [name]);
      const command = program.commands.find((each) => each.name() === name)!;
      for (const each of [command, ...command.commands]) {
        const out = each.options.find(({ long }) => long === '--out');
        const shown = each.createHelp().visibleOptions(each);
        expect(
          shown.map(({ long }) => long),
          name,
        ).not.to.include('--output');
        if (out === undefined) continue;
        found.push(each.name());
        expect(out.short, each.name()).to.equal('-o');
        let given: unknown;
        each.action(() => (given = each.opts().out));
        const path = each === command ? [name] : [name, each.name()];
        // As many arguments as it needs.
        const needed = each.registeredArguments.filter(({ required }) => required).map(() => 'x');
        await program.parseAsync([...path, ...needed, '--output', 'there'], { from: 'user' });
        expect(given, each.name()).to.equal('there');
      }
    }
    expect(found).to.include.members([
      'predict',
      'export',
      'report',
      'profile',
      'synth',
      'forward',
      'component',
    ]);
  });
});
