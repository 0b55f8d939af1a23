#!/usr/bin/env node
// The command line: a thin shell over functions that a program can call. Only the command that runs is loaded, so
// that help and validation answer at once.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { MtcpError } from '../../registry/errors.js';
import { packageRoot } from './package.js';

const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as {
  version: string;
};

const program = new Command('mtcp')
  .description('Experiments for multi-task dense prediction, declared in YAML, trained here.')
  .version(version)
  .showHelpAfterError('(mtcp --help lists the commands)')
  .showSuggestionAfterError()
  .exitOverride()
  .addHelpText(
    'after',
    `
Examples:
  mtcp run experiments/table3.yaml                      train every row that is not done yet, print the table
  mtcp run experiments/table3.yaml --row "MT-CP"       only this row
  mtcp run my.yaml train.epochs=5 scheme.spread=7.5     with values changed
  mtcp validate experiments/*.yaml                      check files without running them
  mtcp plan experiments/table3.yaml                     rows, differences, sizes, what is done
  mtcp status experiments/table3.yaml                   what became of each trial
  mtcp logs experiments/table3.yaml --follow            what happens in them
  mtcp report experiments/table3.yaml --format html     the results as a page
  mtcp describe scheme lps                              options of a component
  mtcp new experiment my-study --from table3            a file of your own to change

Exit codes: 0 all done, 1 a trial failed, 2 wrong usage or configuration, 3 results are not what the file expects (report --check), 75 stopped after a checkpoint.`,
  );

const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

/** Options of every command that reads an experiment. */
const experimentOptions = (command: Command): Command =>
  command
    .option('--profile <name>', 'embedded (default), full, smoke or another profile of the file')
    .option('--row <name>', 'only this row; may be given several times', collect)
    .option('--seeds <list>', "instead of the file's, for example 0,1,2");

/** Options of the commands that compute. */
const engineOptions = (command: Command): Command =>
  command
    .option('--engine <name>', 'onnx, onnx:cuda, onnx:webgpu, tensorflow, wasm or cpu')
    .option('--threads <n>', 'threads of the engine; one per core if left out');

engineOptions(experimentOptions(program.command('run')))
  .summary('train the rows of an experiment and print its table')
  .description(
    'Trains every row that is not done yet, one after the other. Rows that were interrupted continue where they were, a row that fails does not stop the others. Several processes, on one machine or many, may run the same file in the same folder of runs: each takes rows that no other has. The table goes to stdout, progress to stderr. Ctrl-C saves a checkpoint and stops, a second one stops at once.',
  )
  .argument('<file>', 'experiment file')
  .argument('[overrides...]', 'path=value, for example train.epochs=5')
  .option('--runs <dir>', 'folder of all runs', 'runs')
  .option('--data <dir>', 'where the data set lies (or is generated)')
  .option('--needed', 'train what is not done yet, whatever the reason; the default')
  .option('--only <states>', 'train only trials in these states: queued, failed, interrupted, stale')
  .option('--fresh', 'train everything anew; what there is is set aside, not deleted')
  .option(
    '--jobs <n>',
    'trials at once, each in its own process with its share of the threads; auto: one for each core where networks are small',
    'auto',
  )
  .option('--json', 'events as JSON, one object a line, the table last')
  .option('-q, --quiet', 'no progress')
  .action(async (file, overrides, options) => (await import('./run.js')).run(file, overrides, options));

experimentOptions(program.command('plan'))
  .summary('show what a run would do')
  .argument('<file>', 'experiment file')
  .argument('[overrides...]', 'path=value')
  .option('--runs <dir>', 'folder of all runs', 'runs')
  .option('--json', 'one JSON document')
  .action(async (file, overrides, options) => (await import('./plan.js')).plan(file, overrides, options));

experimentOptions(program.command('status'))
  .summary('show what became of the trials of an experiment')
  .description(
    'Shows each trial: queued, running (and where), done, failed (and why), interrupted (stopped after a checkpoint) or stale (its process died without a word).',
  )
  .argument('<file>', 'experiment file')
  .argument('[overrides...]', 'path=value')
  .option('--runs <dir>', 'folder of all runs', 'runs')
  .option('--json', 'one JSON document')
  .addHelpText(
    'after',
    `
Examples:
  mtcp status experiments/table3.yaml
  watch mtcp status experiments/table3.yaml --profile full`,
  )
  .action(async (file, overrides, options) => (await import('./status.js')).status(file, overrides, options));

experimentOptions(program.command('logs'))
  .summary('show what happened in the trials of an experiment')
  .argument('<file>', 'experiment file, or the folder of a trial')
  .argument('[overrides...]', 'path=value')
  .option('--runs <dir>', 'folder of all runs', 'runs')
  .option('-f, --follow', 'go on showing what happens until the trials end')
  .option('--json', 'the events as they are, one a line')
  .addHelpText(
    'after',
    `
Examples:
  mtcp logs experiments/table3.yaml --row "MT-CP" --follow
  mtcp logs runs/table3/mt-cp-s0-1a2b3c4d --json`,
  )
  .action(async (file, overrides, options) => (await import('./logs.js')).logs(file, overrides, options));

experimentOptions(program.command('profile'))
  .summary('where the time and memory of a row go, module by module')
  .description(
    'Runs a few training steps and a bit of evaluation under a profiler and gathers time, floating-point operations and bytes by the modules of the network, as a table and a flame picture (profile.svg, .png, .json).',
  )
  .argument('<file>', 'experiment file')
  .argument('[overrides...]', 'path=value')
  .option('--runs <dir>', 'folder of all runs', 'runs')
  .option('--steps <n>', 'training steps to measure', '5')
  .option('--images <n>', 'validation images to evaluate', '8')
  .option('--depth <n>', 'levels of modules in the table', '3')
  .option('-o, --output <dir>', 'folder for the picture; below the runs if left out')
  .option('--json', 'one JSON document')
  .addHelpText(
    'after',
    `
Example:
  mtcp profile experiments/table3.yaml --row MT-CP --depth 4`,
  )
  .action(async (file, overrides, options) =>
    (await import('./profile.js')).profile(file, overrides, options),
  );

program
  .command('predict')
  .summary('apply a trained trial to images')
  .description(
    'Predicts every task for images of any size and writes a colour map for each, a contact sheet with legends (predictions.png), and what it wrote as predictions.json.',
  )
  .argument('<run>', 'folder of a trial, such as runs/table3/mt-cp-s0-1a2b3c4d')
  .argument('<images...>', 'image files')
  .requiredOption('-o, --output <dir>', 'folder to write into')
  .option('--raw <format>', 'also the values themselves: npy (float32) or png16')
  .option(
    '--size <HxW>',
    "size of the network's input; native is the image's own. By default the size it was trained at",
  )
  .option('--checkpoint <name>', 'another checkpoint than the one that the reported numbers belong to')
  .option('--json', 'what was written as one JSON document')
  .option('-q, --quiet', 'no progress')
  .addHelpText(
    'after',
    `
Examples:
  mtcp predict runs/table3/mt-cp-s0-1a2b3c4d photos/*.jpg -o maps
  mtcp predict runs/table3/mt-cp-s0-1a2b3c4d room.png -o maps --raw npy --size native`,
  )
  .action(async (run, images, options) => (await import('./predict.js')).predict(run, images, options));

program
  .command('export')
  .summary('a trained trial as one file for other programs')
  .description(
    'Writes the network with its weights as one ONNX file. Its input is RGB from 0 to 255, any number of images at a time; its outputs are class indices, metres, unit normals and probabilities.',
  )
  .argument('<run>', 'folder of a trial, such as runs/table3/mt-cp-s0-1a2b3c4d')
  .requiredOption('-o, --output <file>', 'file to write')
  .option('--format <format>', 'onnx', 'onnx')
  .option('--size <HxW>', 'size of the input; by default the size it was trained at')
  .option('--checkpoint <name>', 'another checkpoint than the one that the reported numbers belong to')
  .option('--json', 'one JSON document')
  .addHelpText(
    'after',
    `
Example:
  mtcp export runs/table3/mt-cp-s0-1a2b3c4d -o mt-cp.onnx
  python -c "import onnxruntime as o, numpy as n; s = o.InferenceSession('mt-cp.onnx'); print(s.run(None, {'image': n.zeros((2, 96, 128, 3), 'float32')})[0].shape)"`,
  )
  .action(async (run, options) => (await import('./export.js')).exportModel(run, options));

experimentOptions(program.command('report'))
  .summary('tables, curves and predictions of what has been trained')
  .description(
    'Reports on the trials in the folder of runs; nothing is trained. With --check every bound of report.expect in the file is compared with the results.',
  )
  .argument('<file>', 'experiment file')
  .argument('[overrides...]', 'path=value')
  .option('--runs <dir>', 'folder of all runs', 'runs')
  .option('--format <format>', 'table, md, latex, csv, json or html', 'table')
  .option('-o, --output <file>', 'file to write; - is stdout (html: report.html beside the runs)')
  .option('--check', 'exit with 3 if an expectation does not hold')
  .addHelpText(
    'after',
    `
Examples:
  mtcp report experiments/table3.yaml --format html     one page to open in a browser or to send
  mtcp report experiments/table3.yaml --format latex -o table3.tex
  mtcp report experiments/table3.yaml --check           for continuous integration`,
  )
  .action(async (file, overrides, options) => (await import('./report.js')).report(file, overrides, options));

/** Options of the commands that run one row on tensors from a file. */
const tensorOptions = (command: Command): Command =>
  engineOptions(experimentOptions(command))
    .option('--weights <path>', 'safetensors of the whole model; drawn from the seed if left out')
    .option('--partial <section>', 'the weights are of this section alone: backbone', collect)
    .option('-o, --out <file>', 'safetensors file to write')
    .option('--json', 'one JSON document');

tensorOptions(program.command('forward'))
  .summary("run a row's network on tensors from a file")
  .description(
    'Runs the network of a row in evaluation mode on the tensor "image" ([batch, 3, height, width], float32, any size) of a safetensors file and writes features from inside it, [batch, channels, height, width].',
  )
  .argument('<file>', 'experiment file')
  .argument('[overrides...]', 'path=value')
  .option('--input <file>', 'safetensors file with "image"')
  .option('--outputs <names>', 'features to write, separated by commas')
  .option('--list', 'list the features of the row and their shapes')
  .addHelpText(
    'after',
    `
Examples:
  mtcp forward experiments/table3.yaml --profile full --row MT-CP --list
  mtcp forward experiments/table3.yaml --profile full --row MT-CP --weights model.safetensors --partial backbone \\
    --input in.safetensors --outputs backbone.representation,prediction.depth -o out.safetensors`,
  )
  .action(async (file, overrides, options) =>
    (await import('./compare.js')).forward(file, overrides, options),
  );

tensorOptions(program.command('grad'))
  .summary("losses and gradients of a row's training step on tensors from a file")
  .description(
    'Takes "image" and a label for each task from a safetensors file, in training mode, and writes every loss (loss.total, loss.TASK, ...) and the gradient of every parameter under its own name. Stochastic depth draws from the seed; model.backbone.encoder.drop_path=0 switches it off.',
  )
  .argument('<file>', 'experiment file')
  .argument('[overrides...]', 'path=value')
  .option(
    '--input <file>',
    'safetensors file with "image" and the tasks\' labels, [batch, channels, height, width]',
  )
  .addHelpText(
    'after',
    `
Example:
  mtcp grad experiments/table3.yaml --profile full --row MT-CP --weights mt-cp.safetensors \\
    --input batch.safetensors -o gradients.safetensors model.backbone.encoder.drop_path=0`,
  )
  .action(async (file, overrides, options) => (await import('./compare.js')).grad(file, overrides, options));

program
  .command('validate')
  .summary('check experiment files')
  .description(
    'Checks every profile and row of the files and reports all faults. Nothing is run. With --deep it also builds every network on shapes alone, as plan and run do before they begin: channels that cannot match, a head for a task that the data set lacks, a window larger than the map.',
  )
  .argument('<files...>', 'experiment files')
  .option('--profile <name>', 'only this profile')
  .option('--deep', 'build the networks too; takes seconds instead of a moment')
  .option('--json', 'one JSON document')
  .addHelpText(
    'after',
    `
Examples:
  mtcp validate experiments/*.yaml
  mtcp validate --deep --profile embedded my.yaml`,
  )
  .action(async (files, options) => (await import('./validate.js')).validate(files, options));

const config = program.command('config').summary('look at resolved configurations');
config
  .command('show')
  .summary('print rows with everything filled in')
  .argument('<file>', 'experiment file')
  .argument('[overrides...]', 'path=value')
  .option('--profile <name>', 'embedded (default) or another profile of the file')
  .option('--row <name>', 'only this row; may be given several times', collect)
  .option('--origin', 'beside every value the file and line that wrote it, and what it replaced')
  .option('--json', 'one JSON document')
  .addHelpText(
    'after',
    `
Examples:
  mtcp config show my.yaml --row "MT-CP" --origin
  mtcp config show my.yaml --profile full train.epochs=3`,
  )
  .action(async (file, overrides, options) => (await import('./config.js')).show(file, overrides, options));
config
  .command('diff')
  .summary('tell two configurations apart')
  .description('Compares rows of the same name; one row against one row whatever they are called.')
  .argument('<a>', 'experiment file, FILE#ROW, or the folder of a run')
  .argument('<b>', 'the same')
  .option('--profile <name>', 'embedded (default) or another profile of the files')
  .option('--json', 'one JSON document')
  .addHelpText(
    'after',
    `
Examples:
  mtcp config diff experiments/table3.yaml my.yaml
  mtcp config diff "my.yaml#MT-CP" "my.yaml#STL depth"
  mtcp config diff runs/table3/mt-cp-s0-1a2b3c4d my.yaml#MT-CP`,
  )
  .action(async (a, b, options) => (await import('./config.js')).diff(a, b, options));

const PLUGINS = 'experiment file whose plugins count too';

program
  .command('list')
  .summary('list components')
  .argument('[kind]', 'backbone, decoder, interaction, loss, scheme, ...')
  .option('-f, --file <file>', PLUGINS)
  .option('--json', 'one JSON document')
  .addHelpText(
    'after',
    '\nExamples:\n  mtcp list\n  mtcp list scheme\n  mtcp list interaction --file my.yaml',
  )
  .action(async (kind, options) => (await import('./catalog.js')).list(kind, options));

program
  .command('describe')
  .summary('describe a component and its options, or the network of a row')
  .description(
    "A component's name shows its options. An experiment file shows what the networks of its rows are made of and what flows through them; --format svg draws one row.",
  )
  .argument('<name...>', 'name, or kind and name, or an experiment file')
  .option('-f, --file <file>', PLUGINS)
  .option('--row <name>', 'of an experiment file: only this row; may be given several times', collect)
  .option('--profile <name>', 'of an experiment file: embedded (default), full, smoke or another')
  .option('--format <name>', 'of an experiment file: text (default) or svg')
  .option('-o, --out <file>', 'of an experiment file: file to write; stdout if left out')
  .option('--json', 'one JSON document')
  .addHelpText(
    'after',
    '\nExamples:\n  mtcp describe cfm\n  mtcp describe scheme lps\n  mtcp describe my-block --file my.yaml\n  mtcp describe experiments/table1.yaml --row InvPT --format svg -o invpt.svg',
  )
  .action(async (names: string[], options) =>
    /\.ya?ml$/.test(names[0])
      ? (await import('./draw.js')).draw(names[0], options)
      : (await import('./catalog.js')).describe(names, options),
  );

program
  .command('schema')
  .summary('write the JSON Schema of experiment files, for editors')
  .description(
    'Writes one JSON Schema of experiment files that refers to no other file. Editors need it only for plugins: without, the schemas that come with mtcp do.',
  )
  .option('-f, --file <file>', PLUGINS)
  .option('-o, --out <file>', 'file to write; stdout if left out')
  .addHelpText('after', '\nExample:\n  mtcp schema --file my.yaml --out my.schema.json')
  .action(async (options) => (await import('./catalog.js')).schema(options));

const fresh = program.command('new').summary('write a starting point');
fresh
  .command('component')
  .summary('write a component of your own that works as it is')
  .argument('<kind>', 'interaction, head, loss, scheme, dataset, ...')
  .argument('<name>', 'what experiment files call it, such as my-block')
  .option('-o, --out <path>', 'folder, or the file itself', '.')
  .addHelpText('after', '\nExample:\n  mtcp new component interaction my-block')
  .action(async (kind, name, options) => (await import('./new.js')).component(kind, name, options));
fresh
  .command('experiment')
  .summary('write an experiment file from one that exists')
  .argument('<name>', 'names the file and the folder of the runs')
  .option('--from <experiment>', 'an experiment that comes with mtcp, such as table3, or a file')
  .option('-o, --out <path>', 'folder, or the file itself', '.')
  .addHelpText('after', '\nExample:\n  mtcp new experiment my-study --from table3')
  .action(async (name, options) => (await import('./new.js')).experiment(name, options));

program
  .command('completion')
  .summary('print a script that completes mtcp in a shell')
  .argument('<shell>', 'bash, zsh or fish')
  .addHelpText(
    'after',
    `
Install:
  bash   eval "$(mtcp completion bash)"       in ~/.bashrc
  zsh    eval "$(mtcp completion zsh)"        in ~/.zshrc, after compinit
  fish   mtcp completion fish | source        in ~/.config/fish/config.fish`,
  )
  .action(async (shell) => (await import('./completion.js')).script(shell));
program
  .command('complete', { hidden: true })
  .argument('[words...]')
  .action(async (words) => (await import('./completion.js')).complete(program, words));

program
  .command('doctor')
  .summary('show what this machine can compute with')
  .description(
    'Tries every engine in a process of its own, measures a product of matrices with it, and says what to do about those that do not work. Ends with code 1 if the default engine does not.',
  )
  .option('--threads <n>', 'threads of the engines; one per core if left out')
  .option('--json', 'one JSON document')
  .action(async (options) => (await import('./doctor.js')).doctor(options));

const weights = program.command('weights').summary('read public checkpoints, write trained ones');
weights
  .command('import')
  .summary('make a file that a backbone starts from')
  .description(
    'Reads a checkpoint (a safetensors file, or a folder as Hugging Face has it), finds out what model it is, checks every name and shape, and writes the tensors a backbone needs under its own names. Anything missing or unexpected is an error; nothing is written then.',
  )
  .argument('<source>', 'file.safetensors, or a folder with model.safetensors and config.json')
  .option('-o, --out <file>', 'file to write; weights/NAME.safetensors if left out')
  .option('--backbone <type>', 'the component the file is for, where the file does not tell')
  .option('--json', 'one JSON document')
  .addHelpText(
    'after',
    `
Examples:
  mtcp weights import mask2former-swin-small-ade-semantic/
  mtcp weights import model.safetensors -o weights/swin-s.safetensors`,
  )
  .action(async (source, options) => (await import('./weights.js')).importFile(source, options));
weights
  .command('export')
  .summary("write a trial's weights as safetensors")
  .description(
    'Writes the weights of a checkpoint as one safetensors file, or with --part backbone a folder that the reference implementation (transformers, ...) opens.',
  )
  .argument('<trial>', "a trial's folder, such as runs/table3/mt-cp-s0-1a2b3c4d")
  .requiredOption('-o, --out <path>', 'file to write; a folder for --part backbone')
  .option('--part <part>', 'model or backbone', 'model')
  .option('--checkpoint <name>', 'which one, such as best or step-00000120; the newest if left out')
  .option('--json', 'one JSON document')
  .addHelpText(
    'after',
    `
Examples:
  mtcp weights export runs/table3/mt-cp-s0-1a2b3c4d -o mt-cp.safetensors
  mtcp weights export runs/table3/mt-cp-s0-1a2b3c4d --part backbone -o mask2former/`,
  )
  .action(async (folder, options) => (await import('./weights.js')).exportFolder(folder, options));

const mlflow = program.command('mlflow').summary('show runs on an MLflow tracking server');
const serverOptions = (command: Command): Command =>
  command
    .option('--runs <dir>', 'folder of all runs', 'runs')
    .option('--uri <address>', 'of the tracking server, unless MLFLOW_TRACKING_URI names one')
    .option('--json', 'one JSON document');
serverOptions(mlflow.command('sync'))
  .summary('send what the server does not know yet')
  .description(
    'Brings the server to the state of the folder of runs: what could not be sent while it was away, and trials that ran without a tracker. Sent twice, nothing is there twice.',
  )
  .addHelpText(
    'after',
    `
Examples:
  MLFLOW_TRACKING_URI=http://localhost:5000 mtcp mlflow sync
  mtcp mlflow sync --runs /scratch/runs --uri https://mlflow.example.org`,
  )
  .action(async (options) => (await import('./mlflow.js')).sync(options));
serverOptions(mlflow.command('gc'))
  .summary('close runs whose process died')
  .description(
    'Runs that the server shows as running although their process is dead become KILLED, after what they left is sent. "mtcp run" opens them again when it goes on.',
  )
  .action(async (options) => (await import('./mlflow.js')).gc(options));
mlflow
  .command('ui')
  .summary("start MLflow's server")
  .description(
    'Starts the server of the MLflow that is installed for Python; says how to install it if there is none.',
  )
  .option('--host <name>', 'address to listen at', '127.0.0.1')
  .option('--port <n>', 'port', '5000')
  .option('--runs <dir>', 'folder of all runs', 'runs')
  .option(
    '--store <dir>',
    'folder of the database and files of the server (default: .mlflow in the folder of runs)',
  )
  .action(async (options) => (await import('./mlflow.js')).ui(options));

const data = program.command('data').summary('make, build, check and look at data sets');
data
  .command('synth')
  .summary('render a data set')
  .description(
    'Renders scenes with exact labels: rooms with semantics, depth and normals, written like NYUD_MT, or scenes with people, animals and vehicles with semantics, human parts, saliency and normals, written like PASCAL_MT.',
  )
  .requiredOption('--out <dir>', 'folder to write; must be empty or hold the same data set')
  .option('--layout <name>', 'nyud or pascal', 'nyud')
  .option('--train <n>', 'training scenes', '240')
  .option('--val <n>', 'validation scenes', '60')
  .option('--size <HxW>', 'height x width', '96x128')
  .option('--seed <n>', 'seed', '0')
  .option('--json', 'progress as JSON lines')
  .action(async (options) => (await import('./data.js')).synth(options));
data
  .command('prepare')
  .summary('build a benchmark from its official files')
  .description(
    'Builds NYUD_MT or PASCAL_MT from what the authors of the data distribute. Goes on where it was interrupted; a finished folder lists its files with their digests.',
  )
  .argument('<benchmark>', 'nyud-v2 or pascal-context')
  .requiredOption('--out <dir>', 'folder to write')
  .option('--from <file>', 'nyud-v2: nyu_depth_v2_labeled.mat')
  .option('--splits <file>', 'nyud-v2: splits.mat')
  .option('--classes <file>', 'nyud-v2: classMapping40.mat')
  .option(
    '--normals <dir>',
    'nyud-v2: folder of <id>.npy or <id>.png, or "derive" from depth; none if absent',
  )
  .option('--voc <dir>', 'pascal-context: VOC2010')
  .option('--voc12 <dir>', 'pascal-context: VOC2012, for its class maps')
  .option('--context <dir>', "pascal-context: PASCAL-Context's <id>.mat")
  .option('--parts <dir>', "pascal-context: PASCAL-Part's <id>.mat")
  .option('--distilled <dir>', 'pascal-context: PASCAL_MT with sal_distill/ and normals_distill/')
  .option('--json', 'progress as JSON lines')
  .addHelpText(
    'after',
    `
Examples:
  mtcp data prepare nyud-v2 --from nyu_depth_v2_labeled.mat --splits splits.mat --classes classMapping40.mat --out NYUD_MT
  mtcp data prepare pascal-context --voc VOC2010 --voc12 VOC2012 --context trainval --parts Annotations_Part --out PASCAL_MT`,
  )
  .action(async (benchmark, options) => (await import('./data.js')).prepare(benchmark, options));
data
  .command('check')
  .summary('find everything that is wrong with a data folder')
  .description('Reads every file of a NYUD_MT or PASCAL_MT once. Exit code 2 if anything is wrong.')
  .argument('<dir>', 'the folder')
  .option('--json', 'one JSON document')
  .action(async (directory, options) => (await import('./data.js')).check(directory, options));
data
  .command('show')
  .summary('pictures of samples and their labels, raw and augmented')
  .argument('<file>', 'experiment file; its first row counts')
  .argument('[overrides...]', 'path=value')
  .requiredOption('-o, --out <dir>', 'folder for raw.png and augmented.png')
  .option('--samples <n>', 'training samples', '6')
  .option('--draws <n>', 'augmented versions of each', '2')
  .option('--profile <name>', 'embedded (default), full, smoke or another profile of the file')
  .option('--row <name>', 'the row whose pipeline is shown', collect)
  .option('--data <dir>', 'where the data set lies (or is generated)')
  .action(async (file, overrides, options) => (await import('./data.js')).show(file, overrides, options));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = await report(error);
}

async function report(error: unknown): Promise<number> {
  // commander has printed its message already; --help and --version end here too.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (MtcpError.is(error)) {
    const { formatErrors, wantsColor } = await import('../config/format.js');
    process.stderr.write(`${formatErrors([error], { color: wantsColor(process.stderr) })}\n`);
    return error.exitCode;
  }
  process.stderr.write(
    `${(error as Error).stack ?? String(error)}\nThis is a bug in mtcp; please report it with the lines above.\n`,
  );
  return 1;
}
