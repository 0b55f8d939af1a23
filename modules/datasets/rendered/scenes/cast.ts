// Which things of the VOC's classes are made how, and what they sit well with.
import { bottle, plant } from '../props/clutter.js';
import { chair, sofa, table } from '../props/furniture.js';
import type { Model } from '../tracer/solids.js';
import { television } from '../props/storage.js';
import type { Style } from '../props/style.js';
import type { VocClass } from '../../folders/pascal-classes.js';
import { bird, quadruped, type Quadruped } from '../props/animals.js';
import { person } from '../props/person.js';
import { aeroplane, bicycle, boat, bus, car, motorbike, train } from '../props/vehicles.js';

export type ObjectClass = Exclude<VocClass, 'background'>;

type Maker = (style: Style) => Model;

const named =
  (voc: VocClass, make: Maker): Maker =>
  (style) => {
    const model = make(style);
    for (const part of model.parts) part.voc ??= voc;
    return model;
  };

const animal =
  (kind: Quadruped): Maker =>
  (style) =>
    quadruped(style, kind);

/** One of each class, as it would stand about. */
export const MAKERS: Readonly<Record<ObjectClass, Maker>> = {
  aeroplane,
  bicycle,
  bird: (style) => bird(style, false),
  boat,
  bottle: (style) => bottle(style, style.dice.range(0.2, 0.34)),
  bus,
  car,
  cat: animal('cat'),
  chair: named('chair', (style) => chair(style)),
  cow: animal('cow'),
  diningtable: named('diningtable', (style) => table(style)),
  dog: animal('dog'),
  horse: animal('horse'),
  motorbike,
  person: (style) => person(style),
  pottedplant: (style) => plant(style, style.dice.range(0.4, 1.3)),
  sheep: animal('sheep'),
  sofa: named('sofa', (style) => sofa(style)),
  train,
  tvmonitor: named('tvmonitor', (style) => television(style, style.dice.range(0.6, 1.1))),
};

/** Objects that a person may sit on, with the height of the seat. */
export const RIDDEN: Partial<Record<ObjectClass, (style: Style) => Model & { saddle: number }>> = {
  bicycle,
  motorbike,
  horse: (style) => quadruped(style, 'horse'),
};
