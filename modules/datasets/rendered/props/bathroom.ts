// What belongs into a bathroom.
import { fronts } from './furniture.js';
import { curtain, mirror } from './fittings.js';
import { Model } from '../tracer/solids.js';
import type { Style } from './style.js';

export function toilet(style: Style): Model {
  const white = style.porcelain();
  const model = new Model('toilet', [0.42, 0.7, 0.82]);
  model.cylinder([0, -0.05, 0], [0.24, 0.34, 0.3], white, { taper: 1.2 });
  model.ellipsoid([0, -0.1, 0.16], [0.38, 0.5, 0.3], white);
  model.cylinder([0, -0.1, 0.39], [0.38, 0.48, 0.035], white);
  model.box([0, 0.24, 0.36], [0.42, 0.2, 0.4], white);
  model.box([0, 0.24, 0.76], [0.44, 0.22, 0.03], white);
  if (style.dice.chance(0.5)) model.cylinder([0, 0.12, 0.42], [0.38, 0.4, 0.03], white, { turn: [75, 0, 0] });
  return model;
}

/** A wash-basin on a pedestal or a cabinet, with its mirror on the wall. */
export function washstand(style: Style): Model {
  const { dice } = style;
  const width = dice.range(0.5, 0.95);
  const model = new Model('sink', [width, 0.5, 1.9]);
  const white = style.porcelain();
  if (dice.chance(0.6)) {
    const door = style.surface();
    model.box([0, 0.01, 0.06], [width, 0.44, 0.72], door, { as: 'cabinet' });
    const cabinet = new Model('cabinet', [width, 0.44, 0.78]);
    fronts(
      cabinet,
      style,
      { width, depth: 0.42, bottom: 0.06, height: 0.7 },
      [width > 0.65 ? 2 : 1, 1],
      door,
    );
    model.add(cabinet, [0, 0, 0]);
    model.box([0, 0, 0.78], [width + 0.02, 0.48, 0.05], dice.chance(0.5) ? white : style.stone(), {
      as: 'counter',
    });
    model.cylinder([0, -0.02, 0.83], [0.34, 0.3, 0.1], white, { taper: 1.25 });
  } else {
    model.cylinder([0, 0.08, 0], [0.17, 0.17, 0.68], white, { taper: 0.85 });
    model.ellipsoid([0, 0, 0.62], [width * 0.95, 0.46, 0.3], white);
    model.box([0, 0.02, 0.76], [width, 0.44, 0.1], white);
  }
  model.cylinder([0, 0.17, 0.84], [0.03, 0.03, 0.16], style.metal);
  model.cylinder([0, 0.17, 0.99], [0.025, 0.025, 0.13], style.metal, { turn: [100, 0, 0] });
  return model.add(mirror(style, width * 0.85, 0.7), [0, 0.235, 1.15]);
}

export function bathtub(style: Style): Model {
  const { dice } = style;
  const [length, width, height] = [dice.range(1.5, 1.75), dice.range(0.7, 0.82), dice.range(0.48, 0.6)];
  const white = style.porcelain();
  const model = new Model('bathtub', [length, width, height]);
  const rim = 0.08;
  for (const y of [-1, 1]) model.box([0, y * (width / 2 - rim / 2), 0], [length, rim, height], white);
  for (const x of [-1, 1]) model.box([x * (length / 2 - rim / 2), 0, 0], [rim, width, height], white);
  model.box([0, 0, 0], [length - rim, width - rim, 0.12], white);
  model.cylinder([length / 2 - 0.06, 0, height], [0.03, 0.03, 0.15], style.metal);
  if (dice.chance(0.7)) {
    const drawn = dice.range(0.35, 0.8) * length;
    const rail = 2;
    model.cylinder([length / 2, -width / 2 + 0.03, rail], [0.025, 0.025, length], style.metal, {
      turn: [0, -90, 0],
    });
    const side = dice.chance(0.5) ? 1 : -1;
    const cloth = curtain(style, 'shower-curtain', drawn, rail - 0.25);
    model.add(cloth, [side * (length / 2 - drawn / 2), -width / 2 + 0.03, 0.25]);
  }
  return model;
}

export function towel(style: Style): Model {
  const { dice } = style;
  const [width, height] = [dice.range(0.35, 0.6), dice.range(0.4, 0.75)];
  const model = new Model('towel', [width + 0.1, 0.1, height + 0.03]);
  model.cylinder([(width + 0.1) / 2, 0, height], [0.02, 0.02, width + 0.1], style.metal, {
    turn: [0, -90, 0],
  });
  const cloth = style.fabric();
  model.box([0, -0.02, 0], [width, 0.025, height + 0.015], cloth);
  return model.box([0, 0.015, height * 0.25], [width, 0.02, height * 0.77], cloth);
}
