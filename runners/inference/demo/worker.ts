// The part of the page of `mtcp demo` that computes, in a thread of the browser. It is bundled with the very code that
// `mtcp predict` runs: the input pipeline, resizing, kinds of tasks and their colours. onnxruntime-web runs the model.
//
//   picture -> pipeline -> model.onnx -> maps of the picture's size -> colours, legends
import type * as Ort from 'onnxruntime-node';
import type { MapData } from '../../../registry/contracts/data.js';
import { createTrialContainer } from '../../../registry/container.js';
import { legendOf, paint, rangeOf } from '../../drawing/paint.js';
import { toImage } from '../to-image.js';
import type { DemoSettings } from './settings.js';

/** TypeScript declares it among the types of browsers only. */
interface Thread {
  location: { href: string };
  onmessage: ((event: { data: Asked }) => void) | null;
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void;
}

/** RGB of a picture, row by row. */
interface Asked {
  height: number;
  width: number;
  data: Uint8Array;
}

const thread = globalThis as unknown as Thread;
const beside = (name: string): string => new URL(name, thread.location.href).href;

async function load(): Promise<(asked: Asked) => Promise<void>> {
  const ort = (await import(beside('ort/ort.wasm.min.mjs'))) as typeof Ort;
  // Several threads need headers that a plain server of files does not send.
  Object.assign(ort.env.wasm, { wasmPaths: beside('ort/'), numThreads: 1 });
  const settings = (await (await fetch(beside('model.json'))).json()) as DemoSettings;
  const session = await ort.InferenceSession.create(beside('model.onnx'));
  const { tasks, fit, colours } = settings;
  const transform = createTrialContainer(tasks).create('transform', settings.transform);
  const [rows, columns] = settings.size;

  return async (asked) => {
    const image: MapData = { ...asked, channels: 3 };
    const prepared = transform.evaluate({ id: 'picture', image, labels: {} }).image;
    // The model takes colours from 0 to 255 and normalises them itself.
    const bytes = Float32Array.from(
      prepared.data,
      (value, i) => (value - colours.offset[i % 3]) / colours.scale[i % 3],
    );
    const started = performance.now();
    const found = await session.run({ image: new ort.Tensor('float32', bytes, [1, rows, columns, 3]) });
    const milliseconds = performance.now() - started;
    const maps = tasks.map((task) => {
      const { data, dims } = found[task.name];
      const whole = { height: rows, width: columns, channels: dims[3] ?? 1, data: data as Float32Array };
      const map = toImage(whole, asked, task, fit);
      const range = rangeOf(task, [map]);
      const picture = paint(map, task, range);
      return {
        task: task.name,
        colours: new Uint8Array(picture.data),
        legend: legendOf(task, [map], range),
        channels: map.channels,
        values: Float32Array.from(map.data),
      };
    });
    const { height, width } = asked;
    thread.postMessage(
      { kind: 'predicted', height, width, milliseconds, maps },
      maps.flatMap(({ colours: pixels, values }) => [pixels.buffer as ArrayBuffer, values.buffer]),
    );
  };
}

const failed = (error: unknown): void =>
  thread.postMessage({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });

const loading = load();
loading.then(() => thread.postMessage({ kind: 'ready' }), failed);
thread.onmessage = ({ data }) => void loading.then((predict) => predict(data)).catch(failed);
