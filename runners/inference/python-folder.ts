// mtcp export --format python: a trained trial as a folder that needs Python, NumPy and onnxruntime, and Pillow to read
// picture files. model.onnx is the network, model.json its card (card.ts), and the programs of templates/python do with
// them what `mtcp predict` does.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFolder } from '../support/files.js';
import { cardOf, type ModelCard, type TaskCard } from './card.js';
import { onnxModel, type OnnxExported, type OnnxExportOptions } from './export.js';

const TEMPLATES = fileURLToPath(new URL('../../../templates/python/', import.meta.url));

/** Files of the folder that another export replaces. */
const OWN = /^(model\.onnx|model\.json|README\.md|predict\.py|processing\.py|requirements\.txt|__pycache__)$/;

export interface PythonExported extends OnnxExported {
  files: string[];
}

/**
 * @param options whose `out` is a folder
 * @throws MtcpError as `onnxModel`, and `config` if the pipeline or a kind of task does what a card cannot say
 */
export async function exportPython({ out, ...options }: OnnxExportOptions): Promise<PythonExported> {
  const made = await onnxModel(options);
  const card = cardOf(made);
  writeFolder(out, OWN, (folder) => {
    writeFileSync(join(folder, 'model.onnx'), made.model);
    writeFileSync(join(folder, 'model.json'), `${JSON.stringify(card, null, 2)}\n`);
    writeFileSync(join(folder, 'README.md'), readme(card));
    for (const name of templates()) writeFileSync(join(folder, name), readFileSync(join(TEMPLATES, name)));
  });
  const files = ['model.onnx', 'model.json', 'README.md', ...templates()];
  return { out, bytes: made.model.byteLength, ...made.described, files };
}

const templates = (): string[] => readdirSync(TEMPLATES).filter((name) => /\.(py|txt)$/.test(name));

function readme({ trial, input, tasks }: ModelCard): string {
  const { height, width } = input;
  const fitted =
    input.fit === 'stretch'
      ? `Pictures of any size are resized to this size (the aspect ratio is not kept), and predictions back to the picture's.`
      : `Smaller pictures are put into the centre, on the mean colour; larger ones are refused.`;
  return `# ${oneLine(trial.row)}

A network trained by mtcp: experiment ${oneLine(trial.experiment)}, row ${oneLine(trial.row)}, seed ${trial.seed}, trial ${trial.hash}.
Python, NumPy and onnxruntime run it; Pillow reads picture files.

\`\`\`sh
pip install -r requirements.txt
python predict.py photo.jpg --out maps
\`\`\`

For each picture and task this writes \`NAME.TASK.png\`, in colours, and \`NAME.TASK.npy\`, the values. In a program:

\`\`\`python
from predict import Model
import processing
maps = Model()(processing.read("photo.jpg"))  # a picture is uint8 [H, W, 3], RGB
\`\`\`

| task | map | values |
|---|---|---|
${tasks.map((task) => `| ${oneLine(task.name)} | ${task.channels === 1 ? '[H, W]' : `[H, W, ${task.channels}]`} | ${oneLine(valuesOf(task))} |`).join('\n')}

${tasks.flatMap(({ name, classes }) => (classes ? [`Classes of ${oneLine(name)}, from 0: ${classes.map(oneLine).join(', ')}.\n\n`] : [])).join('')}## Files

| file | content |
|---|---|
| \`model.onnx\` | the network with its weights and the normalisation of colours: RGB 0..255, [batch, ${height}, ${width}, 3], to maps of this size |
| \`model.json\` | size, tasks, class names, units, and the colours of pictures |
| \`processing.py\` | resizing before and after the network, colours |
| \`predict.py\` | all of it together |

## Size

Height and width of the network's input are ${height} and ${width}, fixed; the batch may have any size. ${fitted}
They are fixed because ${input.fixed}. \`mtcp export --size HxW\` writes the network for another size.
`;
}

const valuesOf = ({ meaning, unit }: TaskCard): string => (unit ? `${meaning} (${unit})` : meaning);

/** Names are of others: they stay on their line and in their cell. */
const oneLine = (text: string): string =>
  text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/([\\`|<>*_[\]])/g, '\\$1');
