// Every command in a guide is one that exists. Commands of mtcp that answer at once are run; the others are parsed by the
// command line itself, with actions that do nothing, and what they say about an experiment file of this repository is
// checked: its rows, its profile and the values that are changed. docs/extending.md is run whole by
// test/runners/app/authoring/extending.test.ts.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Command } from 'commander';
import { COMMANDS } from '../../runners/cli/commands/index.js';
import { openExperiment } from '../../runners/config/open.js';
import { ROOT, temporaryFolder } from '../support/rooms.js';

const MAIN = join(ROOT, 'dist/runners/cli/main.js');
const GUIDES = [
  'README.md',
  'CONTRIBUTING.md',
  'bench/README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((file) => file.endsWith('.md') && file !== 'extending.md')
    .map((file) => `docs/${file}`),
];

/** Run for real: they read files and print. */
const AT_ONCE = ['list', 'describe', 'schema', 'new', 'completion', 'config', '--help', '--version'];
/** Not ours and not run: they install, download or belong to the shell. */
const OTHERS = [
  'npm',
  'export',
  'pip',
  'python',
  'python3',
  'cd',
  'git',
  'sbatch',
  'apptainer',
  'ssh',
  'curl',
];
/** Names in guides that stand for something of the reader. */
const YOURS = /^(my|study|mine|heads|broken|nothere|your)\b.*\.yaml$/;

const commands = GUIDES.flatMap((guide) =>
  [...readFileSync(join(ROOT, guide), 'utf8').matchAll(/^```sh[^\n]*\n(.*?)^```$/gms)].flatMap(([, text]) =>
    text
      .replaceAll('\\\n', ' ')
      .split('\n')
      .flatMap((line) => line.split(/\s&&\s/))
      .map(wordsOf)
      .filter((words) => words.length > 0)
      .map((words) => ({ guide, words })),
  ),
);

/** Commands that are named in text: `mtcp run FILE` in guides, and what heads of experiment files propose. */
function mentioned(): { where: string; text: string }[] {
  const prose = [...GUIDES, 'docs/extending.md'].flatMap((where) =>
    [
      ...readFileSync(join(ROOT, where), 'utf8')
        .replaceAll(/^```.*?^```$/gms, '')
        .matchAll(/`(?:npx )?mtcp\s([a-z][^`]*)`/g),
    ].map(([, text]) => ({ where, text: text.replaceAll(/\s+/g, ' ') })),
  );
  const files = ['experiments', 'experiments/base', 'experiments/studies', 'docs/gallery'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { encoding: 'utf8' })
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => `${folder}/${name}`),
  );
  const heads = files.flatMap((where) =>
    [...readFileSync(join(ROOT, where), 'utf8').matchAll(/^# +(?:npx )?mtcp (\S.*?)(?: {2,}.*)?$/gm)].map(
      ([, text]) => ({ where, text }),
    ),
  );
  return [...new Map([...prose, ...heads].map((each) => [each.text, each])).values()];
}

/** A line as the shell takes it apart, without its comment and the variables before the command. */
function wordsOf(line: string): string[] {
  const words = [...line.matchAll(/(?:[^\s"'#]|"[^"]*"|'[^']*'|(?<=\S)#)+|#.*/g)].map(([word]) => word);
  const comment = words.findIndex((word) => word.startsWith('#'));
  const plain = (comment < 0 ? words : words.slice(0, comment)).map((word) => word.replaceAll(/["']/g, ''));
  const first = plain.findIndex((word) => !/^[A-Z_]+=/.test(word));
  return first < 0 ? [] : plain.slice(first);
}

/** The program with all its commands, whose actions note what they were called with. */
async function program(): Promise<{ program: Command; called: () => Command | undefined }> {
  const mtcp = new Command('mtcp').version('0').exitOverride();
  for (const [name, { load }] of Object.entries(COMMANDS)) (await load()).declare(mtcp.command(name));
  let called: Command | undefined;
  const quiet = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
    if (command.commands.length === 0)
      command.action((...args) => {
        called = args.at(-1) as Command;
      });
    command.commands.forEach(quiet);
  };
  quiet(mtcp);
  return { program: mtcp, called: () => called };
}

describe('commands in guides', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();

  it('are found', () => {
    expect(commands.filter(({ words }) => words[1] === 'mtcp')).to.have.length.above(40);
  });

  for (const { guide, words } of commands) {
    const title = `${guide}: ${words.join(' ')}`;
    const [first, second, ...args] = words;
    if (first === 'npx' && second === 'mtcp')
      it(title, async () => {
        if (AT_ONCE.includes(args[0])) {
          const given = args.map((arg) => (arg.startsWith('experiments/') ? join(ROOT, arg) : arg));
          const { status, stderr } = spawnSync(process.execPath, [MAIN, ...given], {
            cwd: folder,
            encoding: 'utf8',
          });
          expect(status, stderr).to.equal(0);
        } else await parse(args);
      });
    else if (first === 'npm' && second === 'run')
      it(title, () => {
        const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
          scripts: Record<string, string>;
        };
        expect(scripts).to.have.property(args[0]);
      });
    else if (first === 'npx' && second === 'mocha')
      it(title, () => expect(existsSync(join(ROOT, args.at(-1)!))).to.equal(true));
    else if (first === 'node') it(title, () => expect(existsSync(join(ROOT, second))).to.equal(true));
    else if (first.includes('/'))
      it(title, () => expect(existsSync(join(ROOT, first)), 'a script of this repository').to.equal(true));
    else
      it(title, () => {
        expect(OTHERS, 'mtcp is called as npx mtcp; other programs are listed in this test').to.include(
          first,
        );
      });
  }

  describe('in prose, heads of experiment files and help texts', () => {
    for (const { where, text } of mentioned())
      it(`${where}: mtcp ${text}`, async () => {
        const words = wordsOf(text);
        await exists(words);
        // What is complete can be taken at its word.
        if (words.some((word) => /^(experiments|docs)\/.*\.yaml$/.test(word)) && !/[A-Z]{4}/.test(text))
          await parse(words);
      });

    it('help texts have examples that exist', async () => {
      const found: string[] = [];
      for (const [name, { load }] of Object.entries(COMMANDS)) {
        if (name === 'complete') continue;
        let help = '';
        const command = new Command('mtcp').command(name);
        (await load()).declare(command);
        for (const each of [command, ...command.commands])
          each.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
        found.push(
          ...[...help.matchAll(/^ {2}mtcp (\S.*?)(?: {2,}.*| \|.*| &&.*)?$/gm)].map(([, text]) => text),
        );
      }
      expect(found).to.have.length.above(30);
      for (const text of found) await exists(wordsOf(text), text);
    });
  });

  /** @throws if there is no such command, or it has no such flag */
  async function exists(words: readonly string[], text = words.join(' ')): Promise<void> {
    const { program: mtcp } = await program();
    let command = mtcp;
    let rest = [...words];
    for (let below; (below = command.commands.find((each) => each.name() === rest[0]));) {
      command = below;
      rest = rest.slice(1);
    }
    expect(command, text).not.to.equal(mtcp);
    const flags = command.options.flatMap(({ short, long }) => [short, long]);
    for (const flag of rest.filter((word) => /^--?[a-z]/.test(word)))
      expect([...flags, '--trust', '--help', '--output'], text).to.include(flag.replace(/=.*/, ''));
  }

  /** @throws if mtcp would refuse the command, or the row, profile or value that it names */
  async function parse(args: readonly string[]): Promise<void> {
    const { program: mtcp, called } = await program();
    // Of mtcp itself, wherever it stands.
    await mtcp.parseAsync(
      args.filter((arg) => arg !== '--trust'),
      { from: 'user' },
    );
    const command = called();
    expect(command, 'a command').not.to.equal(undefined);
    const file = command!.args.find((arg) => arg.endsWith('.yaml'));
    if (file === undefined || YOURS.test(file)) return;
    expect(existsSync(join(ROOT, file)), file).to.equal(true);
    const { profile, row, whereItFits } = command!.opts<{
      profile?: string;
      row?: string | string[];
      whereItFits?: boolean;
    }>();
    openExperiment(join(ROOT, file), {
      ...(profile !== undefined && { profile }),
      ...(row !== undefined && { rows: [row].flat() }),
      whereItFits,
      overrides: command!.args.filter((arg) => /^[a-z_.]+=/.test(arg)),
    });
  }
});
