// What an RGB-D camera would give, for trying own-data.yaml without one: rendered rooms as color/*.png and depth/*.png.
//   npx mtcp data synth --out rooms --train 160 --val 40 --size 64x96
//   node docs/gallery/make-photos.mjs rooms photos
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

const [from, to] = process.argv.slice(2);
for (const folder of ['color', 'depth']) mkdirSync(join(to, folder), { recursive: true });
for (const name of readdirSync(join(from, 'images'))) {
  const id = name.replace(/\.\w+$/, '');
  const { width, height } = await sharp(join(from, 'images', name)).toFile(join(to, 'color', `${id}.png`));
  // NumPy's file: a header, then float32 metres.
  const file = readFileSync(join(from, 'depth', `${id}.npy`));
  const metres = new Float32Array(
    file.buffer.slice(file.byteOffset + file.length - 4 * width * height, file.byteOffset + file.length),
  );
  const millimetres = Uint16Array.from(metres, (value) => Math.round(1000 * value));
  await sharp(millimetres, { raw: { width, height, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toFile(join(to, 'depth', `${id}.png`));
}
