import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { Command } from 'commander';

type Declare = (program: Command) => void;

/** Every command that does something, with its help as a person sees it. */
async function helps(): Promise<Map<string, string>> {
  const program = new Command('mtcp');
  let written = '';
  program.configureOutput({ writeOut: (text) => void (written += text) });
  const folder = new URL('../../../runners/cli/commands/', import.meta.url);
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.js'))) {
    const declared = (await import(new URL(name, folder).href)) as Record<string, Declare>;
    for (const declare of Object.values(declared)) declare(program);
  }
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
  it('show in their help how they are called', async () => {
    const all = await helps();
    expect([...all.keys()]).to.include.members(['mtcp run', 'mtcp config diff', 'mtcp data show']);
    for (const [name, help] of all) {
      const shown = help.split(/^(?:Examples?|Install):$/m)[1] ?? '';
      expect(shown, name).to.include(name);
    }
  });
});
